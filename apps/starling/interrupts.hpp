// Ctrl-C as something to wait for, instead of the end of the program. Linux (signalfd).
//
// Must be made before any thread is, because it blocks SIGINT and threads inherit that.
#pragma once

namespace starling::cli {

class interrupts {
  public:
    interrupts();
    interrupts(const interrupts&) = delete;
    interrupts& operator=(const interrupts&) = delete;
    /// Ctrl-C ends the program again.
    ~interrupts();

    /// Readable once Ctrl-C was pressed; -1 when the system has no such thing.
    int descriptor() const { return fd_; }

    /// Takes a Ctrl-C that was pressed; false when there was none.
    bool take();

  private:
    int fd_;
};

}  // namespace starling::cli

// A program that netlab starts.
#pragma once

#include "netlab/file_descriptor.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace starling::netlab {

/// Looked up in PATH. Dies with netlab (SIGKILL), because its network does; gone when this object is.
class child {
  public:
    /// `input` becomes its standard input; -1 leaves it netlab's. A program that cannot be started says so and has the
    /// exit status 127, as in a shell.
    explicit child(const std::vector<std::string>& command, int input = -1);
    ~child();
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    /// Readable when it has ended.
    int ended_fd() const { return ended_.get(); }
    void signal(int number) const;

    /// Waits for its end. 128 and the signal's number when a signal ended it, as in a shell.
    int wait();

  private:
    pid_t pid_;
    file_descriptor ended_;
    bool waited_ = false;
    int status_ = 0;
};

/// A program that reads `input` and must succeed; throws std::runtime_error otherwise.
void run(const std::vector<std::string>& command, const std::string& input = "");

}  // namespace starling::netlab

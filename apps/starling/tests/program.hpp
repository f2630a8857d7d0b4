// Runs the real program and looks at what comes out.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace starling::cli::test {

struct ended {
    int code = -1;  // negative: killed by this signal
    std::string out;
    std::string err;
};

class program {
  public:
    /// Starts it with stdin from `input` and nothing of this process's environment but PATH and what is given.
    program(std::vector<std::string> arguments, std::vector<std::string> environment, std::string input = {});
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    /// Kills it if it still runs.
    ~program();

    /// What stdout has once `text` is in it; empty when that takes too long or the program ends first.
    std::string wait_for_output(const std::string& text);
    void send(int signal);
    /// Kills it after `patience`.
    ended wait(std::chrono::seconds patience = std::chrono::seconds(60));

  private:
    bool pump(std::chrono::milliseconds patience);

    int pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    ended result_;
};

}  // namespace starling::cli::test

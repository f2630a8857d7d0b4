// What one architecture's models give: where they may be cut, and whether the pieces compute what the whole does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace starling::architectures {

struct outcome {
    std::string architecture;
    std::string kind;   // dense or moe
    std::string where;  // for people: where it may be cut
    std::int32_t layers = 0;
    std::vector<std::int32_t> cuts;  // of a model with that many layers; all of them were measured to be exact
    std::string refusal;             // why there are none; empty where there are
    std::string failure;             // what was measured and must not be; empty: nothing
};

/// Measures the model that llama.cpp's program wrote, in a child process: llama.cpp may end it. `work` is a folder for
/// large files, which are removed again.
class measurement {
  public:
    measurement(std::filesystem::path model, std::filesystem::path work);
    measurement(const measurement&) = delete;
    measurement& operator=(const measurement&) = delete;
    ~measurement();

    int process() const { return process_; }

    /// After the process has ended with this status.
    outcome finish(int status);

  private:
    const std::filesystem::path model_;
    const std::filesystem::path work_;  // of this one alone
    int process_ = -1;
};

}  // namespace starling::architectures

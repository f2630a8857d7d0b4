// A model as one piece, and the same as a chain of stages made by the slicer: both go through the same steps, and their
// logits are compared bit for bit.
#pragma once

#include "base/result.hpp"
#include "gguf/slice.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace starling::architectures {

class runner;

/// Owner: a child process, which llama.cpp may end at any time.
class comparison {
  public:
    /// `model` is a whole model; slices are written beside it and removed once they are loaded.
    explicit comparison(std::filesystem::path model);
    ~comparison();

    const gguf::file_header& header() const { return header_; }

    /// Cuts at these layers, ascending. Empty when all logits are the same; else what was different.
    std::string compare(const std::vector<std::int32_t>& cuts);

  private:
    runner& stage(gguf::layer_range layers);

    const std::filesystem::path path_;
    gguf::file_header header_;
    std::map<std::pair<std::int32_t, std::int32_t>, std::unique_ptr<runner>> stages_;
    std::vector<std::vector<float>> expected_;  // of each step
};

}  // namespace starling::architectures

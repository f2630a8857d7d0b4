// The sizes of a synthetic llama model, and how to choose them for a number of parameters.
#pragma once

#include <cstdint>
#include <string>

namespace starling::tools {

struct model_shape {
    std::int64_t layers = 0;
    std::int64_t embedding = 0;
    std::int64_t feed_forward = 0;  // of one expert where there are experts
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t experts = 0;
    std::int64_t experts_used = 0;
    std::int64_t vocabulary = 0;

    std::int64_t head_length() const { return embedding / heads; }
    std::int64_t kv_width() const { return head_length() * kv_heads; }
    std::int64_t parameters() const;
};

/// Fills the sizes that are 0: about `parameters` in all, with heads of 64 and the proportions of small Llama models.
model_shape choose_shape(model_shape given, std::int64_t parameters);

/// Why these sizes make no model; empty when they do.
std::string shape_problem(const model_shape& shape);

/// "120M", "1.5B", "800K" or a plain number; 0 when it is none.
std::int64_t parse_count(const std::string& text);

}  // namespace starling::tools

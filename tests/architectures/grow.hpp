// A small model of any architecture with as many layers as a test needs: llama.cpp's own program writes one with two or
// three, whose metadata is stretched, and whose weights are made anew, the same ones each time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace starling::architectures {

/// What is written about layers that differ from each other: lists with one entry for each layer, as llama.cpp saves
/// them, or as little as converters of real models write, so that llama.cpp's defaults apply.
enum class layer_lists { written, left_out };

struct shape {
    std::int32_t layers = 0;
    layer_lists lists = layer_lists::written;
    std::int32_t head_length = 0;  // 0: what the embedding length and the number of heads give
};

/// Reads `from` and writes a model of that shape to `to`. Ends the process with a message where llama.cpp cannot.
void grow(const std::filesystem::path& from, const std::filesystem::path& to, shape wanted);

/// Makes the last layer of a grown model one that predicts a further token, which llama.cpp's program never does.
void make_last_layer_predict(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace starling::architectures

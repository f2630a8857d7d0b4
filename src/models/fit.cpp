#include "models/fit.hpp"

#include "base/size_text.hpp"
#include "models/errc.hpp"

#include <algorithm>

namespace starling::models {

namespace {

constexpr std::uint64_t f16_bytes = 2;
constexpr std::uint64_t f32_bytes = 4;
constexpr std::uint64_t batch_tokens = 512;  // llama.cpp computes at most so many at once
// Activations that are alive at the same time in a layer, in widths of the embedding.
constexpr std::uint64_t live_widths = 8;

std::uint64_t positive(std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
}

// The widest feed-forward part: one number, or one for each layer.
std::uint64_t feed_forward_width(const gguf::file_header& header) {
    const gguf::value* found = header.find_for_architecture("feed_forward_length");
    if (found == nullptr) {
        return 0;
    }
    const auto* list = std::get_if<gguf::array>(&found->held);
    std::int64_t widest = list == nullptr ? found->integer().value_or(0) : 0;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        widest = std::max(widest, list->integer_at(i).value_or(0));
    }
    return positive(widest);
}

}  // namespace

memory_estimate estimate(const gguf::file_header& header, std::int64_t context, std::int64_t slots) {
    memory_estimate out;
    out.weights_bytes = header.tensor_bytes();
    out.context = context > 0 ? context : std::clamp<std::int64_t>(header.context_length(), 1, assumed_context);
    out.slots = std::max<std::int64_t>(slots, 1);
    const std::uint64_t tokens = positive(out.context) * positive(out.slots);
    const std::uint64_t head = positive(header.key_length()) + positive(header.value_length());
    for (std::int64_t layer = 0; layer < std::min<std::int64_t>(header.layers(), gguf::max_tensors); ++layer) {
        out.kv_bytes += positive(header.kv_heads(layer)) * head * tokens * f16_bytes;
    }
    const std::uint64_t width = positive(header.vocabulary_size()) + live_widths * positive(header.embedding_length()) +
                                2 * feed_forward_width(header);
    out.work_bytes = batch_tokens * f32_bytes * width;
    return out;
}

result<void> check_fit(const memory_estimate& needed, std::uint64_t memory_bytes, std::string_view model) {
    if (needed.total_bytes() <= memory_bytes) {
        return {};
    }
    return fail(errc::too_large, std::string(model) + " takes about " + size_text(needed.total_bytes()) +
                                     " of memory (" + size_text(needed.weights_bytes) + " weights, " +
                                     size_text(needed.kv_bytes) + " for " + std::to_string(needed.slots) + " x " +
                                     std::to_string(needed.context) + " tokens of context, " +
                                     size_text(needed.work_bytes) + " work space) and " + size_text(memory_bytes) +
                                     " are free; choose a smaller model or quantisation, or less context");
}

}  // namespace starling::models

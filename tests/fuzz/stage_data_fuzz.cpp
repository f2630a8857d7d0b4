// library: pipeline
// Frames and messages between stages: what is taken can be written again, and a frame byte for byte as it came. The
// first byte says which of them the rest is.
#include "pipeline/data_codec.hpp"
#include "pipeline/half.hpp"
#include "pipeline/stage_messages.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

using namespace starling;
using namespace starling::pipeline;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void frame(std::span<const std::uint8_t> input, frame_kind kind, number_type numbers) {
    const data_limits limits{.deployment = 1,
                             .epoch = 2,
                             .kind = kind,
                             .numbers = numbers,
                             .sequences = 4,
                             .context = 64,
                             .step_tokens = 16,
                             .width = 3,
                             .stages_before = kind == frame_kind::tokens ? 0U : 1U};
    if (input.size() >= frame_length_bytes) {
        const auto length = read_frame_length(input.first<frame_length_bytes>(), limits);
        require(!length || (*length >= frame_header_bytes && *length <= max_frame_bytes(limits)));
        input = input.subspan(frame_length_bytes);
    }
    const auto got = decode(input, limits, 7);
    if (!got) {
        require(!got.error().message.empty());
        return;
    }
    require(input.size() <= max_frame_bytes(limits));
    require(got->number == 7 && all_finite(got->activations));
    for (const auto& token : got->step.tokens) {
        require(token.sequence >= 0 && token.sequence < 4 && token.at >= 0 && token.at < 64 && token.token >= 0);
    }
    bytes again;
    require(encode(*got, limits, &again).has_value());
    require(std::ranges::equal(std::span(again).subspan(frame_length_bytes), input));
}

void message(std::string_view input) {
    const auto got = parse_stage_message(input);
    require(got || !got.error().message.empty());
    if (got) {
        const auto once = to_json(*got);
        const auto again = parse_stage_message(once);
        require(again && to_json(*again) == once);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::span input(data + 1, size - 1);
    switch (data[0] % 4) {
        case 0: frame(input, frame_kind::tokens, number_type::f16); break;
        case 1: frame(input, frame_kind::activations, number_type::f16); break;
        case 2: frame(input, frame_kind::activations, number_type::f32); break;
        default: message({reinterpret_cast<const char*>(input.data()), input.size()});
    }
    return 0;
}

// library: remote
// Messages that nodes send each other about requests: whatever is taken is written again in the form that is then read
// as the same thing. The first byte says whether the rest is a question or an answer.
#include "remote/messages.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace starling;
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const aio::steady_time now{std::chrono::hours(1)};
    if (data[0] % 2 == 0) {
        const auto got = remote::parse_question(text, now);
        require(got || !got.error().message.empty());
        if (got) {
            const auto once = std::visit([now](const auto& one) { return remote::to_json(one, now); }, *got);
            const auto again = remote::parse_question(once, now);
            require(again.has_value());
            require(std::visit([now](const auto& one) { return remote::to_json(one, now); }, *again) == once);
        }
        return 0;
    }
    const auto got = remote::parse_answer(text);
    require(got || !got.error().message.empty());
    if (got) {
        const auto once = remote::to_json(*got);
        const auto again = remote::parse_answer(once);
        require(again.has_value());
        require(remote::to_json(*again) == once);
    }
    return 0;
}

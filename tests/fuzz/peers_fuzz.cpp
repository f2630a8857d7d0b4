// library: peers
// What peers send before and beside requests: greetings, membership messages, what members say about themselves, and
// how they are.
// The first byte says which.
#include "peers/greeting_codec.hpp"
#include "peers/member_record.hpp"
#include "peers/membership_codec.hpp"
#include "peers/node_status.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

using namespace starling;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void membership_message(std::span<const std::uint8_t> input) {
    const auto got = peers::decode_message(input);
    require(got || !got.error().message.empty());
    if (got) {
        const auto once = peers::encode(*got);
        const auto again = peers::decode_message(once);
        require(again && peers::encode(*again) == once);
        require(once.size() <= membership::estimated_bytes(*got));
    }
}

void greeting(std::string_view input) {
    const auto got = peers::parse_greeting(input);
    require(got || !got.error().message.empty());
    if (got) {
        const auto once = peers::to_json(*got);
        const auto again = peers::parse_greeting(once);
        require(again && peers::to_json(*again) == once);
    }
}

void description(std::span<const std::uint8_t> input) {
    const auto got = peers::parse_description(std::as_bytes(input));
    if (got) {
        const auto once = peers::encode(*got);
        require(once.size() <= membership::max_payload_bytes);
        require(peers::parse_description(once).has_value());
    }
}

void status(std::string_view input) {
    const auto got = peers::parse_status(input);
    require(got || !got.error().message.empty());
    if (!got) {
        return;
    }
    require(got->models.size() <= peers::max_told_models && got->demand.size() <= peers::max_told_models);
    require(got->health.score >= 0.0 && got->health.score <= 100.0);
    for (const auto& one : got->models) {
        require(one.load.slots >= 0 && one.load.busy >= 0 && one.load.queued >= 0 && one.load.queue_limit >= 0);
        require(std::isfinite(one.load.tokens_per_s) && one.load.tokens_per_s >= 0.0);
    }
    for (const auto& one : got->demand) {
        require(std::isfinite(one.rate_per_min) && std::isfinite(one.last_active_s));
    }
    require(!peers::differs(*got, *got));
    const auto again = peers::parse_status(peers::to_json(*got));
    require(again && again->models.size() == got->models.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::span input(data + 1, size - 1);
    switch (data[0] % 4) {
        case 0: membership_message(input); break;
        case 1: greeting({reinterpret_cast<const char*>(input.data()), input.size()}); break;
        case 2: description(input); break;
        default: status({reinterpret_cast<const char*>(input.data()), input.size()});
    }
    return 0;
}

// library: discovery
// Beacons: what anybody on the local network sends, up to what the table makes of them.
#include "base/shown_name.hpp"
#include "discovery/beacon.hpp"
#include "discovery/lan_table.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace starling;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

constexpr discovery::unix_time_s now = 1'800'000'000;

/// Whatever is taken is written again in the one way in which this version writes it.
void parse_and_encode(const discovery::beacon& got, const keys::key_pair& keys) {
    const auto once = discovery::encode(got, keys);
    require(once.size() <= discovery::max_beacon_bytes);
    const auto again = discovery::parse_beacon(once);
    require(again.has_value() && discovery::is_signed(once, *again));
    require(again->kind == got.kind && again->mesh == got.mesh && again->port == got.port);
    require(again->sent_s == got.sent_s && again->name == got.name && again->wants_answer == got.wants_answer);
}

void take(const discovery::beacon& got) {
    const discovery::steady_time start{};
    discovery::lan_table table({}, {.kind = discovery::beacon_kind::seeking, .port = 1}, start, 1);
    const discovery::address from(boost::asio::ip::address_v4::loopback(), 9339);
    if (table.worth_verifying(got, from, {.steady = start, .unix_s = now})) {
        require(got.kind == discovery::beacon_kind::member);
        require(table.take(got, from, start).has_value() && table.size() == 1);
        require(!table.take(got, from, start).has_value());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const keys::key_pair keys(keys::key_pair::seed{7});
    const std::span input(data, size);
    const auto got = discovery::parse_beacon(input);
    require(got || !got.error().message.empty());
    if (got) {
        require(got->port != 0 && got->name == shown_name(got->name, discovery::max_name_bytes));
        static_cast<void>(discovery::is_signed(input, *got));
        parse_and_encode(*got, keys);
        take(*got);
    }
    return 0;
}

// library: deployment
// What others say of the models they coordinate: whatever is taken is within the limits, is written again and read as
// the same thing, and a candidate that hears it does nothing out of order.
#include "deployment/claim_codec.hpp"
#include "deployment/deployment.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

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
    using namespace starling::deployment;
    const auto got = parse_claim(wire::parse_or_null({reinterpret_cast<const char*>(data), size}));
    require(got || !got.error().message.empty());
    if (!got) {
        return 0;
    }
    require(got->what.stages.size() <= max_stages && got->what.reason.size() <= max_reason_bytes);
    const auto once = boost::json::serialize(to_json(*got));
    const auto again = parse_claim(wire::parse_or_null(once));
    require(again && *again == *got);

    const time_point start{std::chrono::hours(1)};
    candidate node({.self = {}, .want = {.model = "m"}, .seed = size});
    node.start(start);
    node.heard(got->what.by.coordinator, got->what, start + 1s);
    node.claim_gone(got->what.by.coordinator, parting::dead, start + 2s);
    node.tick(start + 1h);
    require(node.state() == candidate_state::waiting || node.own_claim().has_value());
    return 0;
}

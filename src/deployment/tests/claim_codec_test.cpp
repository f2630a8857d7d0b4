#include "deployment/claim_codec.hpp"

#include "deployment/limits.hpp"
#include "wire/errc.hpp"
#include "wire/json_access.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace starling::deployment {
namespace {

node_id make_id(std::uint8_t name) {
    node_id id;
    id.bytes.fill(name);
    return id;
}

told_claim example() {
    return {.model = std::string(64, 'a'),
            .what = {.by = {~term_number{0}, make_id(2), ~epoch_number{0}},
                     .state = announced_state::starved,
                     .stages = {{make_id(1), {0, 8}}, {make_id(2), {8, 16}}},
                     .want = {.model = "a model", .stages = 2, .context = 4096, .slots = 4},
                     .reason = "needs 16, has 8"}};
}

result<told_claim> read(const boost::json::value& from) {
    return parse_claim(wire::parse_or_null(boost::json::serialize(from)));
}

TEST(claim_codec, gives_back_what_it_was_given) {
    const auto got = read(to_json(example()));
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(*got, example());
}

TEST(claim_codec, wants_all_that_a_claim_needs) {
    for (const char* field : {"model", "term", "coordinator", "epoch"}) {
        auto damaged = to_json(example());
        damaged.erase(field);
        EXPECT_TRUE(read(damaged).error() == wire::errc::malformed) << field;
        damaged[field] = -1;
        EXPECT_TRUE(read(damaged).error() == wire::errc::malformed) << field;
        damaged[field] = 1e300;
        EXPECT_TRUE(read(damaged).error() == wire::errc::malformed) << field;
    }
    auto strange = to_json(example());
    strange["state"] = "dancing";
    EXPECT_TRUE(read(strange).error() == wire::errc::unsupported);
    EXPECT_TRUE(parse_claim(nullptr).error() == wire::errc::malformed);
}

TEST(claim_codec, is_bounded) {
    auto long_one = example();
    long_one.what.reason = std::string(max_reason_bytes - 1, 'x') + "\xC3\xA4 and more";
    long_one.what.want.model = std::string(10'000, 'm');
    auto text = to_json(long_one);
    text["want"].as_object()["context"] = ~std::uint64_t{0};
    const auto got = read(text);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->what.reason, std::string(max_reason_bytes - 1, 'x'));  // not half a character
    EXPECT_EQ(got->what.want.model.size(), max_model_name_bytes);
    EXPECT_LE(got->what.want.context, max_context);

    auto many = to_json(example());
    auto& stages = many["stages"].as_array();
    while (stages.size() <= max_stages) {
        stages.push_back(boost::json::value(stages.back()));
    }
    EXPECT_TRUE(read(many).error() == wire::errc::malformed);
    auto empty = to_json(example());
    empty["stages"].as_array()[0].as_object()["end"] = 0;
    EXPECT_TRUE(read(empty).error() == wire::errc::malformed);
}

}  // namespace
}  // namespace starling::deployment

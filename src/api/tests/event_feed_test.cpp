#include "api/event_feed.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace starling::api {
namespace {

namespace json = boost::json;

event_rows rows_of(std::string_view text) {
    return rows_by("k", json::parse(text).as_array());
}

TEST(event_feed, what_is_as_before_is_not_told_again) {
    event_feed feed;
    std::string out;
    feed.whole(out, "models", event_text(json::parse(R"([{"id":"a"}])")));
    EXPECT_EQ(out, "event: models\ndata: [{\"id\":\"a\"}]\n\n");
    out.clear();
    feed.whole(out, "models", event_text(json::parse(R"([{"id":"a"}])")));
    EXPECT_EQ(out, "");
    feed.whole(out, "models", event_text(json::parse("[]")));
    EXPECT_EQ(out, "event: models\ndata: []\n\n");
}

TEST(event_feed, a_clock_alone_is_no_news_and_is_told_with_the_rest) {
    event_feed feed;
    std::string out;
    feed.whole(out, "status", event_text(json::parse(R"({"uptime_s":1,"busy":0})").as_object(), "uptime_s"));
    out.clear();
    feed.whole(out, "status", event_text(json::parse(R"({"uptime_s":2,"busy":0})").as_object(), "uptime_s"));
    EXPECT_EQ(out, "");
    feed.whole(out, "status", event_text(json::parse(R"({"uptime_s":3,"busy":1})").as_object(), "uptime_s"));
    EXPECT_EQ(out, "event: status\ndata: {\"uptime_s\":3,\"busy\":1}\n\n");
}

TEST(event_feed, of_rows_those_that_differ_and_those_that_are_gone_are_told) {
    event_feed feed;
    std::string out;
    feed.rows(out, "peers", rows_of(R"([{"k":"a","v":1},{"k":"b","v":1}])"));
    EXPECT_EQ(out, "event: peers\ndata: {\"set\":[{\"k\":\"a\",\"v\":1},{\"k\":\"b\",\"v\":1}],\"gone\":[]}\n\n");
    out.clear();
    feed.rows(out, "peers", rows_of(R"([{"k":"a","v":1},{"k":"b","v":2},{"k":"c","v":1}])"));
    EXPECT_EQ(out, "event: peers\ndata: {\"set\":[{\"k\":\"b\",\"v\":2},{\"k\":\"c\",\"v\":1}],\"gone\":[]}\n\n");
    out.clear();
    feed.rows(out, "peers", rows_of(R"([{"k":"c","v":1}])"));
    EXPECT_EQ(out, "event: peers\ndata: {\"set\":[],\"gone\":[\"a\",\"b\"]}\n\n");
    out.clear();
    feed.rows(out, "peers", rows_of(R"([{"k":"c","v":1}])"));
    EXPECT_EQ(out, "");
}

TEST(event_feed, a_table_without_rows_is_told_once) {
    event_feed feed;
    std::string out;
    feed.rows(out, "peers", {});
    EXPECT_EQ(out, "event: peers\ndata: {\"set\":[],\"gone\":[]}\n\n");
    out.clear();
    feed.rows(out, "peers", {});
    EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace starling::api

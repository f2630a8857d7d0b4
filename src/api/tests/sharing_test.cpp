// /api/sharing and /api/about, as JSON.
#include "api/about.hpp"
#include "api/sharing_control.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace starling::api {
namespace {

namespace json = boost::json;

class scripted_sharing final : public sharing_view {
  public:
    sharing_facts facts() const override { return now; }
    result<sharing_outcome> change(const sharing_wish&) override { return sharing_outcome::done; }

    sharing_facts now;
};

TEST(sharing_json, says_all_that_is_known) {
    scripted_sharing sharing;
    sharing.now = {.in_mesh = true,
                   .sharing = true,
                   .reachable = true,
                   .listens = "0.0.0.0:9338",
                   .who = who_joins::invite_or_ask,
                   .may_invite = true,
                   .memory_bytes = 8'000'000'000,
                   .memory_total_bytes = 16'000'000'000,
                   .fixed = {"memory"}};
    EXPECT_EQ(json::value(sharing_json(&sharing)), json::parse(R"({
        "in_mesh":true,"sharing":true,"reachable":true,"listens":"0.0.0.0:9338","who":"invite_or_ask",
        "may_invite":true,"memory_bytes":8000000000,"memory_total_bytes":16000000000,"fixed":["memory"]})"));
    sharing.now.who = who_joins::invite;
    EXPECT_EQ(sharing_json(&sharing).at("who"), "invite");
}

TEST(sharing_json, a_node_that_can_be_in_no_mesh_shares_nothing) {
    const json::object out = sharing_json(nullptr);
    EXPECT_EQ(out.at("in_mesh"), false);
    EXPECT_EQ(out.at("sharing"), false);
    EXPECT_EQ(out.size(), 9U);
}

TEST(about_json, says_all_that_is_known) {
    about_facts of{.version = "1.2.3", .versions = {{.name = "Boost", .version = "1.81.0"}}};
    of.platform = "Linux";
    of.data_dir = "/data";
    of.started_unix_s = 7;
    of.listens = {{.what = "API", .protocol = "tcp", .address = "127.0.0.1:1", .who = "me"}};
    of.contacts = {{.host = "192.0.2.7:2", .why = "member"},
                   {.host = "hub:443", .why = "hub", .when = contact_time::when_needed}};
    EXPECT_EQ(json::value(about_json(of)), json::parse(R"({
        "version":"1.2.3","versions":[{"name":"Boost","version":"1.81.0"}],"platform":"Linux","data_dir":"/data",
        "started_unix_s":7,
        "listens":[{"what":"API","protocol":"tcp","address":"127.0.0.1:1","who":"me"}],
        "contacts":[{"host":"192.0.2.7:2","why":"member","when":"now"},
                    {"host":"hub:443","why":"hub","when":"when needed"}]})"));
}

}  // namespace
}  // namespace starling::api

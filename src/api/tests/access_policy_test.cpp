#include "api/access_policy.hpp"

#include "api/routes.hpp"

#include <gtest/gtest.h>

namespace starling::api {
namespace {

TEST(access_policy, keys_match_whole_or_not_at_all) {
    const std::vector<std::string> keys{"abc", "defg"};
    EXPECT_TRUE(is_known_key(keys, "abc"));
    EXPECT_TRUE(is_known_key(keys, "defg"));
    for (const auto* wrong : {"", "ab", "abcd", "abd", "ABC", "defgabc"}) {
        EXPECT_FALSE(is_known_key(keys, wrong)) << wrong;
    }
    EXPECT_FALSE(is_known_key({}, "abc"));
    EXPECT_FALSE(is_known_key({""}, "")) << "an empty line in a key file lets nobody in";
    EXPECT_FALSE(is_known_key(keys, std::string("abc\0", 4)));
}

TEST(access_policy, bearer_tokens_are_found) {
    EXPECT_EQ(bearer_token({{"authorization", "Bearer x y"}}), "x y");
    EXPECT_EQ(bearer_token({{"authorization", "bEARER  x"}}), "x");
    EXPECT_EQ(bearer_token({{"authorization", "Basic x"}}), "");
    EXPECT_EQ(bearer_token({{"authorization", "Bearer"}}), "");
    EXPECT_EQ(bearer_token({{"authorization", "Bearer  "}}), "");
    EXPECT_EQ(bearer_token({}), "");
}

TEST(access_policy, local_hosts) {
    for (const auto* local :
         {"localhost", "localhost:80", "127.0.0.1", "127.0.0.1:9337", "[::1]", "[::1]:9337", "192.168.1.5:1"}) {
        EXPECT_TRUE(is_local_host(local)) << local;
    }
    for (const auto* foreign :
         {"", "example.org", "example.org:9337", "localhost.example.org", "127.0.0.1.example.org", "[bad"}) {
        EXPECT_FALSE(is_local_host(foreign)) << foreign;
    }
}

TEST(access_policy, origins) {
    const auto judge = [](std::vector<std::string> allowed, const char* origin, const char* host) {
        return judge_origin(allowed, {{"origin", origin}, {"host", host}});
    };
    EXPECT_EQ(judge({}, "", "h"), origin_verdict::none);
    EXPECT_EQ(judge({}, "http://h:1", "h:1"), origin_verdict::same_site);
    EXPECT_EQ(judge({}, "http://h:2", "h:1"), origin_verdict::not_allowed);
    EXPECT_EQ(judge({}, "null", "h:1"), origin_verdict::not_allowed);
    EXPECT_EQ(judge({"https://a.example"}, "https://A.example", "h"), origin_verdict::allowed);
    EXPECT_EQ(judge({"https://a.example"}, "https://a.example.evil", "h"), origin_verdict::not_allowed);
    EXPECT_EQ(judge({"*"}, "https://anything", "h"), origin_verdict::allowed);
}

TEST(routes, paths_are_matched_exactly_but_for_model_names) {
    EXPECT_EQ(find_route("/v1/models").endpoint, endpoint::models);
    EXPECT_EQ(find_route("/v1/models/").endpoint, endpoint::unknown);
    EXPECT_EQ(find_route("/v1/models/a/b").endpoint, endpoint::model);
    EXPECT_EQ(model_in_path("/v1/models/a/b"), "a/b");
    EXPECT_EQ(find_route("/").endpoint, endpoint::console);
    EXPECT_EQ(find_route("//").endpoint, endpoint::unknown);
    EXPECT_EQ(find_route("/health/").endpoint, endpoint::unknown);
    EXPECT_EQ(find_route("").endpoint, endpoint::unknown);
    EXPECT_EQ(find_route("*").endpoint, endpoint::unknown);
    EXPECT_EQ(find_route("/api/requests").endpoint, endpoint::requests);
    EXPECT_EQ(find_route("/api/requests", "HEAD").endpoint, endpoint::requests);
    EXPECT_EQ(find_route("/api/requests", "POST").endpoint, endpoint::request_decision);
    EXPECT_EQ(find_route("/api/requests", "PUT").path, "/api/requests");
    EXPECT_EQ(find_route("/v1/models", "POST").endpoint, endpoint::models);
    EXPECT_EQ(methods_of("/api/requests"), "GET, POST");
    EXPECT_EQ(methods_of("/v1/models/a/b"), "GET");
    EXPECT_EQ(methods_of("/nowhere"), "");
}

}  // namespace
}  // namespace starling::api

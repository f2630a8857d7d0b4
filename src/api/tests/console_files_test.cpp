#include "api/console_files.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace starling::api {
namespace {

constexpr std::string_view small_pack =
    R"({"files":[{"path":"/index.html","type":"text/html; charset=utf-8","etag":"\"1\"","plain":[0,6],"gzip":[6,2]},)"
    R"({"path":"/assets/a.js","type":"text/javascript","etag":"\"2\"","plain":[8,3]}]})"
    "\n<page>GZabc";

console_files files_of(std::string_view pack) {
    return console_files(std::as_bytes(std::span(pack.data(), pack.size())));
}

TEST(console_files, gives_the_page_at_the_root_and_files_at_their_paths) {
    const auto files = files_of(small_pack);
    EXPECT_TRUE(files.has("/"));
    EXPECT_TRUE(files.has("/assets/a.js"));
    EXPECT_FALSE(files.has("/assets/"));
    EXPECT_FALSE(files.has("/../etc/passwd"));
    const auto page = files.answer("/", {});
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body, "<page>");
    EXPECT_EQ(http::find_header(page.headers, "cache-control"), "no-cache");
    EXPECT_NE(http::find_header(page.headers, "content-security-policy").find("script-src 'self'"), std::string::npos);
    const auto script = files.answer("/assets/a.js", {});
    EXPECT_EQ(script.body, "abc");
    EXPECT_NE(http::find_header(script.headers, "cache-control").find("immutable"), std::string::npos);
}

TEST(console_files, is_compressed_for_those_who_can_read_it) {
    const auto files = files_of(small_pack);
    const auto body_for = [&](std::string_view accepts) {
        return files.answer("/", {{"accept-encoding", std::string(accepts)}}).body;
    };
    EXPECT_EQ(body_for("gzip, deflate, br"), "GZ");
    EXPECT_EQ(body_for("br, gzip;q=0.5"), "GZ");
    EXPECT_EQ(body_for("br"), "<page>");
    EXPECT_EQ(body_for("gzip;q=0"), "<page>");
    EXPECT_EQ(body_for(""), "<page>");
}

TEST(console_files, what_the_browser_has_is_not_sent_again) {
    const auto again = files_of(small_pack).answer("/", {{"if-none-match", "\"1\""}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
}

TEST(console_files, no_pack_is_no_files_and_a_broken_one_is_a_bug) {
    EXPECT_TRUE(files_of("").empty());
    EXPECT_THROW(files_of("no table"), std::runtime_error);
    EXPECT_THROW(files_of("{\"files\":[{\"path\":\"/a\",\"type\":\"t\",\"etag\":\"e\",\"plain\":[0,5]}]}\nabc"),
                 std::runtime_error);
}

}  // namespace
}  // namespace starling::api

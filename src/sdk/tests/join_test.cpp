// A node inside this process, and what becomes of it when there is no mesh to join.
#include "admission/admission.hpp"
#include "sdk/connection.hpp"
#include "sdk/embedded_node.hpp"
#include "sdk/tests/fake_node.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

namespace starling::sdk {
namespace {

using namespace std::chrono_literals;
using namespace test;

class join : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "starling-sdk-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    /// A node whose model is the server at `url`.
    settings::config settings_for(const std::string& url) const {
        settings::config out;
        out.data_dir = folder;
        out.name = "inside";
        out.upstream = url;
        out.models = {"small"};
        out.port = 0;
        out.peer_port = 0;
        return out;
    }

    std::filesystem::path folder;
};

TEST_F(join, what_is_no_invite_is_refused) {
    for (const std::string invite : {"", "hello", "starling:", "starling:AAAA"}) {
        const auto joined = client::join({.invite = invite, .data_dir = "/nonexistent/starling"});
        ASSERT_FALSE(joined) << invite;
        EXPECT_EQ(joined.error().kind, error_kind::unauthorized);
        EXPECT_NE(joined.error().message.find("starling:"), std::string::npos);
    }
}

TEST_F(join, an_invite_without_a_folder_is_not_enough) {
    admission::invite invite;
    invite.expires_s = 2'000'000'000;
    invite.addresses = {"127.0.0.1:1"};
    const auto joined = client::join({.invite = admission::to_text(invite)});
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().kind, error_kind::invalid_request);
    EXPECT_NE(joined.error().message.find("data_dir"), std::string::npos);
}

TEST_F(join, of_nobody_is_an_error_in_time) {
    admission::invite invite;
    invite.expires_s = 2'000'000'000;
    invite.addresses = {"127.0.0.1:1"};
    const auto before = std::chrono::steady_clock::now();
    const auto joined = client::join({.invite = admission::to_text(invite), .data_dir = folder, .timeout = 1s});
    ASSERT_FALSE(joined);
    EXPECT_GT(joined.error().message.size(), 10U);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
}

TEST_F(join, a_node_inside_answers_as_long_as_somebody_needs_it) {
    const http_test_server behind(node_that_says(text("Hel") + text("lo") + ending()));
    auto node = embedded_node::start(settings_for(behind.url()), node::purpose::serve, 30s);
    ASSERT_TRUE(node) << node.error().message;
    const std::string url = (*node)->api_url();
    {
        auto to = connection::open({.url = url}, std::move(*node));
        ASSERT_TRUE(to) << to.error().message;
        EXPECT_EQ((*to)->node().name, "inside");
        const auto from_outside = client::connect({.url = url});
        ASSERT_TRUE(from_outside);
        const auto said = from_outside->chat(hello());
        ASSERT_TRUE(said) << said.error().message;
        EXPECT_EQ(said->text, "Hello");
        EXPECT_EQ(said->model, "small");
    }
    const auto gone = client::connect({.url = url});
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, error_kind::unreachable);
}

TEST_F(join, a_node_that_cannot_run_says_why) {
    auto settings = settings_for("http://127.0.0.1:1");
    settings.data_dir = "/proc/starling";
    const auto node = embedded_node::start(settings, node::purpose::serve, 30s);
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().kind, error_kind::invalid_request);
    EXPECT_NE(node.error().message.find("/proc/starling"), std::string::npos) << node.error().message;
}

}  // namespace
}  // namespace starling::sdk

// What is chosen about sharing a machine: kept in a file, and laid over the settings of the start.
#include "node/sharing.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace starling::node {
namespace {

namespace fs = std::filesystem;
using api::who_joins;
using names = std::vector<std::string>;

constexpr sharing_choices everything{
    .sharing = false, .memory_bytes = 8'000'000'000, .reachable = true, .who = who_joins::invite_or_ask};

TEST(lay_over, nothing_chosen_changes_nothing) {
    const auto out = lay_over({}, {});
    EXPECT_EQ(out.settings.peer_bind, "");
    EXPECT_FALSE(out.settings.lan);
    EXPECT_EQ(out.settings.memory_bytes, 0U);
    EXPECT_EQ(out.fixed, names());
}

TEST(lay_over, what_was_chosen_becomes_a_setting) {
    const auto out = lay_over({}, everything);
    EXPECT_EQ(out.settings.peer_bind, "0.0.0.0");
    EXPECT_TRUE(out.settings.lan);
    EXPECT_EQ(out.settings.memory_bytes, 8'000'000'000U);
    EXPECT_EQ(out.fixed, names());
}

TEST(lay_over, a_no_is_as_if_it_was_never_chosen) {
    const auto out = lay_over({}, {.sharing = false, .reachable = false, .who = who_joins::invite});
    EXPECT_EQ(out.settings.peer_bind, "");
    EXPECT_FALSE(out.settings.lan);
}

TEST(lay_over, what_was_given_wins_and_is_fixed) {
    settings::config given;
    given.peer_bind = "192.0.2.7";
    given.lan = true;
    given.memory_bytes = 1'000'000'000;
    const auto out = lay_over(given, everything);
    EXPECT_EQ(out.settings.peer_bind, "192.0.2.7");
    EXPECT_TRUE(out.settings.lan);
    EXPECT_EQ(out.settings.memory_bytes, 1'000'000'000U);
    EXPECT_EQ(out.fixed, (names{"reachable", "who", "memory"}));
    EXPECT_TRUE(lay_over(given, {.who = who_joins::invite}).settings.lan);
}

TEST(lay_over, an_api_for_other_machines_fixes_that_they_reach_this_one) {
    for (const char* bind : {"0.0.0.0", "192.0.2.7", "::"}) {
        settings::config given;
        given.bind = bind;
        const auto out = lay_over(given, {.reachable = true});
        EXPECT_EQ(out.settings.peer_bind, "") << bind;
        EXPECT_EQ(out.fixed, names{"reachable"}) << bind;
    }
    for (const char* bind : {"127.0.0.1", "::1", "localhost"}) {
        settings::config given;
        given.bind = bind;
        EXPECT_EQ(lay_over(given, {.reachable = true}).settings.peer_bind, "0.0.0.0") << bind;
    }
}

class sharing_file : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-sharing-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { fs::remove_all(dir_); }

    fs::path file() const { return dir_ / "sharing.json"; }
    void write(const std::string& text) const { std::ofstream(file(), std::ios::binary) << text; }
    std::string content() const {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }

    fs::path dir_;
};

TEST_F(sharing_file, none_means_that_nothing_was_chosen) {
    const auto read = load_sharing(file());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, sharing_choices());
    EXPECT_FALSE(fs::exists(file()));
}

TEST_F(sharing_file, what_is_kept_is_read_again) {
    for (const sharing_choices& one :
         {sharing_choices(), everything, sharing_choices{.sharing = true, .who = who_joins::invite},
          sharing_choices{.memory_bytes = least_lent_bytes}, sharing_choices{.reachable = false}}) {
        ASSERT_TRUE(save_sharing(file(), one));
        const auto read = load_sharing(file());
        ASSERT_TRUE(read.has_value()) << content();
        EXPECT_EQ(*read, one) << content();
    }
    struct stat about{};
    ASSERT_EQ(::stat(file().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(sharing_file, members_that_a_later_version_knows_do_no_harm) {
    write(R"({"sharing":false,"colour":"blue","reachable":null})");
    const auto read = load_sharing(file());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, sharing_choices{.sharing = false});
}

TEST_F(sharing_file, a_broken_one_is_one_sentence_and_stays) {
    for (const std::string broken : {"", "{", "[]", "null", R"({"sharing":1})", R"({"reachable":"yes"})",
                                     R"({"memory_bytes":-5})", R"({"memory_bytes":1.5})", R"({"memory_bytes":1000})",
                                     R"({"memory_bytes":1e300})", R"({"who":"anybody"})", R"({"who":true})"}) {
        write(broken);
        const auto read = load_sharing(file());
        ASSERT_FALSE(read.has_value()) << broken;
        EXPECT_TRUE(read.error() == errc::data_dir) << broken;
        EXPECT_NE(read.error().message.find("sharing.json is damaged"), std::string::npos) << read.error().message;
        EXPECT_EQ(content(), broken);
    }
    write(std::string(100'000, ' '));
    EXPECT_FALSE(load_sharing(file()).has_value());
}

}  // namespace
}  // namespace starling::node

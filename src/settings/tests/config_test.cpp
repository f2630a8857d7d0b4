#include "settings/config.hpp"
#include "repository_paths.hpp"
#include "settings/nearest.hpp"
#include "settings/table.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>

namespace starling::settings {
namespace {

TEST(config, defaults_need_no_source) {
    const config out;
    EXPECT_EQ(out.bind, "127.0.0.1");
    EXPECT_EQ(out.port, 9337);
    EXPECT_EQ(out.gpu_layers, -1);
    EXPECT_TRUE(check(out));
}

TEST(config, later_sources_win) {
    config out;
    ASSERT_TRUE(
        apply_toml(out, "gpu_layers = 1\nslots = 2\nthreads = 3\nmodels = [\"a\", \"b\"]\nheadless = true\n", "f"));
    ASSERT_TRUE(apply_environment(out, {{"GPU_LAYERS", "7"}, {"PATH", "/bin"}}));
    ASSERT_TRUE(apply_flags(out, {{"threads", "9"}, {"threads", "10"}, {"model", "c"}, {"model", "d"}}));
    EXPECT_EQ(out.slots, 2);
    EXPECT_EQ(out.gpu_layers, 7);
    EXPECT_EQ(out.threads, 10);
    EXPECT_EQ(out.models, (std::vector<std::string>{"c", "d"}));
    EXPECT_TRUE(out.headless);
}

struct bad_file {
    const char* text;
    const char* line;
    const char* says;
};

class config_file : public ::testing::TestWithParam<bad_file> {};

TEST_P(config_file, is_refused_with_its_line) {
    config out;
    const auto applied = apply_toml(out, GetParam().text, "node.toml");
    ASSERT_FALSE(applied);
    EXPECT_TRUE(applied.error() == errc::bad_config);
    EXPECT_TRUE(applied.error().message.starts_with("node.toml, line " + std::string(GetParam().line)))
        << applied.error().message;
    EXPECT_NE(applied.error().message.find(GetParam().says), std::string::npos) << applied.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    mistakes, config_file,
    ::testing::Values(
        bad_file{"slots = 1\nprot = 9337\n", "2, column 1", "did you mean 'port'?"},
        bad_file{"\n\n  gpu-layers = 1\n", "3, column 3", "did you mean 'gpu_layers'?"},
        bad_file{"zzzzzzzzzz = 1\n", "1, column 1", "unknown key 'zzzzzzzzzz'"},
        bad_file{"port = 70000\n", "1", "between 0 and 65535, not 70000"},
        bad_file{"port = \"9337\"\n", "1", "must be a whole number"},
        bad_file{"port = 93.5\n", "1", "must be a whole number"}, bad_file{"headless = 1\n", "1", "true or false"},
        bad_file{"models = [1]\n", "1", "list of texts"}, bad_file{"models = [\"\"]\n", "1", "empty entry"},
        bad_file{"log_format = \"xml\"\n", "1", "pretty or json"},
        bad_file{"name = \"a\\nb\"\n", "1", "control characters"},
        bad_file{"[server]\nport = 1\n", "1", "unknown key 'server'"}, bad_file{"port = 1\nport = 2\n", "2", ""},
        bad_file{"port = \n", "1", ""}, bad_file{"port = 1\nname = \"open\n", "2, column 8", "no end"},
        bad_file{"name = x\"y\"", "1, column 9", "no text can begin"},
        bad_file{"models = [\"a\" \"b\"]", "1, column 15", "no text can begin"},
        bad_file{"name = \"\"\"open\n\n\"\"", "1, column 8", "no end"}, bad_file{"\xFF\xFE", "1, column 1", "ASCII"},
        bad_file{"port = 1\nbind\xCF\x8A = 3\n", "2, column 5", "ASCII"},
        bad_file{"[\x01\x02]", "1, column 2", "ASCII"}, bad_file{"port = 0x10\xCF\x8A", "1, column 12", "ASCII"},
        bad_file{"name = \"\xFF\"", "1", ""}));

TEST(config_file, texts_and_comments_are_in_any_language) {
    config out;
    ASSERT_TRUE(
        apply_toml(out,
                   "\xEF\xBB\xBF# \xC3\xA9 \"\nname = \"\xE4\xBD\xA0 # \\\" '\" # '''\xC3\xA9\nbind = '\"' # \xC3\xA9\n"
                   "models = [\"\"\"a\"\xC3\xA9\n\"\"\"\"\", '''b'\xC3\xA9''''']\n",
                   "f"));
    EXPECT_EQ(out.name, "\xE4\xBD\xA0 # \" '");
    EXPECT_EQ(out.models, (std::vector<std::string>{"a\"\xC3\xA9\n\"\"", "b'\xC3\xA9''"}));
}

TEST(config_file, one_model_needs_no_list) {
    config out;
    ASSERT_TRUE(apply_toml(out, "models = \"starter\"", "f"));
    EXPECT_EQ(out.models, std::vector<std::string>{"starter"});
}

TEST(config, flags_and_variables_say_what_is_wrong_with_them) {
    config out;
    const auto word = apply_flags(out, {{"port", "many"}});
    ASSERT_FALSE(word);
    EXPECT_TRUE(word.error() == errc::wrong_usage);
    EXPECT_EQ(word.error().message, "--port must be a whole number, not 'many'.");
    EXPECT_EQ(apply_flags(out, {{"ctx", "-1"}}).error().message, "--ctx must be between 0 and 16777216, not -1.");
    EXPECT_EQ(apply_flags(out, {{"slots", "3x"}}).error().message, "--slots must be a whole number, not '3x'.");
    EXPECT_EQ(apply_flags(out, {{"slots", "99999999999999999999"}}).error().message,
              "--slots must be a whole number, not '99999999999999999999'.");
    EXPECT_EQ(apply_environment(out, {{"GPU_LAYERS", "all"}}).error().message,
              "The environment variable GPU_LAYERS must be a whole number, not 'all'.");
    EXPECT_TRUE(apply_environment(out, {{"GPU_LAYERS", ""}}));
    EXPECT_FALSE(apply_flags(out, {{"no-such-flag", "1"}}));
}

TEST(config, an_open_port_needs_a_key) {
    config out;
    for (const char* address : {"0.0.0.0", "::", "192.168.1.2"}) {
        out.bind = address;
        const auto refused = check(out);
        ASSERT_FALSE(refused) << address;
        EXPECT_TRUE(refused.error() == errc::refused);
        EXPECT_NE(refused.error().message.find("--api-key-file"), std::string::npos);
    }
    out.api_key_file = "keys";
    EXPECT_TRUE(check(out));
    for (const char* address : {"127.0.0.1", "127.0.0.2", "::1", "localhost"}) {
        config loopback;
        loopback.bind = address;
        EXPECT_TRUE(check(loopback)) << address;
    }
}

TEST(config, an_upstream_needs_a_model) {
    config out;
    out.upstream = "http://h";
    EXPECT_FALSE(check(out));
    out.models = {"m"};
    EXPECT_TRUE(check(out));
    config keyed;
    keyed.upstream_key_file = "k";
    EXPECT_FALSE(check(keyed));
}

TEST(config, a_draft_is_for_models_of_this_node) {
    config out;
    ASSERT_TRUE(apply_environment(out, {{"STARLING_DRAFT", "small.gguf"}}));
    EXPECT_EQ(out.draft, "small.gguf");
    EXPECT_TRUE(check(out));
    out.upstream = "http://h";
    out.models = {"m"};
    EXPECT_FALSE(check(out));
}

TEST(config, asking_needs_the_local_network_and_no_invite) {
    config out;
    out.lan = true;
    EXPECT_TRUE(check(out));
    out.ask = true;
    EXPECT_TRUE(check(out));
    out.join = "starling:x";
    EXPECT_TRUE(check(out).error() == errc::wrong_usage);
    out.join.clear();
    out.lan = false;
    EXPECT_TRUE(check(out).error() == errc::wrong_usage);
}

TEST(settings, have_names_of_their_own_and_are_documented) {
    std::ifstream in(std::string(STARLING_SOURCE_DIR) + "/docs/config.md");
    std::ostringstream text;
    text << in.rdbuf();
    const std::string documented = text.str();
    std::set<std::string_view> keys;
    std::set<std::string_view> flags;
    for (const setting& row : all_settings()) {
        EXPECT_TRUE(keys.insert(row.key).second) << row.key;
        EXPECT_TRUE(flags.insert(row.flag).second) << row.flag;
        EXPECT_FALSE(row.help.empty()) << row.key;
        EXPECT_NE(documented.find("`" + std::string(row.key) + "`"), std::string::npos) << row.key;
        EXPECT_NE(documented.find("`--" + std::string(row.flag)), std::string::npos) << row.flag;
    }
}

TEST(nearest, finds_slips_and_nothing_far_fetched) {
    const std::array<std::string_view, 4> known{"port", "peer_port", "slots", "ctx"};
    EXPECT_EQ(nearest("prot", known), "port");
    EXPECT_EQ(nearest("slot", known), "slots");
    EXPECT_EQ(nearest("peerport", known), "peer_port");
    EXPECT_EQ(nearest("temperature", known), "");
    EXPECT_EQ(nearest("zz", known), "");
    EXPECT_EQ(nearest(std::string(100'000, 'x'), known), "");
    EXPECT_EQ(nearest("", known), "");
}

}  // namespace
}  // namespace starling::settings

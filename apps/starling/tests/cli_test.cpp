// The command line as somebody types it: exit codes, messages, and what it leaves behind.
#include "program.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace starling::cli::test {
namespace {

namespace fs = std::filesystem;

class cli : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-cli-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { fs::remove_all(dir_); }

    std::vector<std::string> environment() const { return {"XDG_DATA_HOME=" + dir_.string()}; }

    ended run(std::vector<std::string> arguments, std::vector<std::string> more = {}, std::string input = {}) const {
        std::vector<std::string> all = environment();
        all.insert(all.end(), more.begin(), more.end());
        return program(std::move(arguments), std::move(all), std::move(input)).wait();
    }

    /// One sentence on stderr that has all of these in it.
    static void expect_message(const ended& what, int code, std::initializer_list<const char*> parts) {
        EXPECT_EQ(what.code, code) << what.err;
        EXPECT_TRUE(what.err.starts_with("starling: ")) << what.err;
        EXPECT_EQ(std::count(what.err.begin(), what.err.end(), '\n'), 1) << what.err;
        for (const char* part : parts) {
            EXPECT_NE(what.err.find(part), std::string::npos) << "no '" << part << "' in: " << what.err;
        }
    }

    static std::string url_in(const std::string& line) {
        const auto begin = line.find("http://");
        return begin == std::string::npos ? std::string{} : line.substr(begin, line.find('"', begin) - begin);
    }

    fs::path dir_;
};

TEST_F(cli, says_its_version_and_helps) {
    EXPECT_EQ(run({"--version"}).code, 0);
    EXPECT_TRUE(run({"--version"}).out.starts_with("starling "));
    const ended help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    for (const char* verb : {"serve", "client", "chat", "invite", "peers", "status", "models", "plan", "doctor"}) {
        EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
        EXPECT_EQ(run({verb, "--help"}).code, 0) << verb;
    }
}

TEST_F(cli, wrong_usage_is_told_with_what_was_meant) {
    expect_message(run({"serve", "--prot", "1"}), 2, {"--prot", "--port"});
    expect_message(run({"--prot", "1"}), 2, {"--prot", "--port"});
    expect_message(run({"chat", "--temprature=1", "Hi"}), 2, {"--temprature", "--temperature"});
    expect_message(run({"serv"}), 2, {"serv", "serve"});
    expect_message(run({"models", "lst"}), 2, {"lst", "list"});
    expect_message(run({"models"}), 2, {"models --help"});
    expect_message(run({"serve", "more"}), 2, {"more"});
    expect_message(run({"serve", "--port", "many"}), 2, {"--port", "many"});
    expect_message(run({"serve", "--port", "70000"}), 2, {"65535"});
    expect_message(run({"serve"}, {"GPU_LAYERS=all"}), 2, {"GPU_LAYERS", "all"});
    expect_message(run({"plan"}), 2, {"REF", "plan --help"});
    expect_message(run({"plan", "starter", "--split", "17"}), 2, {"--split", "16"});
    expect_message(run({"invite", "--expires", "1y"}), 2, {"--expires", "1y", "24h"});
    expect_message(run({"invite", "--role", "admin"}), 2, {"--role", "admin", "client"});
    expect_message(run({"peers", "revoke"}), 2, {"peers revoke --help"});
    expect_message(run({"serve", "--bind", "0.0.0.0"}), 2, {"0.0.0.0", "--api-key-file"});
    expect_message(run({"serve", "--upstream", "http://127.0.0.1:1"}), 2, {"--model"});
    expect_message(run({"chat", ""}), 2, {"empty"});
}

TEST_F(cli, a_bad_configuration_is_told_with_its_line) {
    fs::create_directory(dir_ / "starling");
    std::ofstream(dir_ / "starling" / "config.toml") << "slots = 2\nprot = 9337\n";
    expect_message(run({"serve"}), 2, {"config.toml, line 2", "prot", "'port'"});
    expect_message(run({"serve", "--config", (dir_ / "none.toml").string()}), 2, {"none.toml"});
}

TEST_F(cli, bad_models_are_told_before_anything_starts) {
    expect_message(run({"serve", "--model", "/no/such.gguf"}), 1, {"/no/such.gguf"});
    std::ofstream(dir_ / "text.gguf") << "hello";
    expect_message(run({"serve", "--model", (dir_ / "text.gguf").string()}), 1, {"text.gguf", "GGUF"});
    expect_message(run({"chat", "--model", (dir_ / "text.gguf").string(), "Hi"}), 1, {"text.gguf", "GGUF"});
    expect_message(run({"models", "show", "hf://a/b/c.gguf"}), 1, {"models pull"});
    expect_message(run({"models", "rm", "starter"}), 1, {"built in"});
}

TEST_F(cli, a_data_directory_that_cannot_be_used_is_told) {
    std::ofstream(dir_ / "file") << "x";
    for (const char* verb : {"serve", "chat"}) {
        expect_message(run({verb, "--data-dir", (dir_ / "file").string()}), 1, {"is a file", "--data-dir"});
    }
    expect_message(run({"serve", "--data-dir", "/proc/starling"}), 1, {"/proc/starling"});
}

TEST_F(cli, chat_answers_once) {
    const ended got = run({"chat", "--temperature", "0", "--threads", "1", "--max-tokens", "12", "Hi"});
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_GT(got.out.size(), 1U);
    EXPECT_TRUE(got.out.ends_with('\n'));
    EXPECT_TRUE(got.err.empty()) << got.err;
    EXPECT_EQ(run({"chat", "--seed", "7", "--threads", "1", "--max-tokens", "12", "Hi"}).out,
              run({"chat", "--seed", "7", "--threads", "1", "--max-tokens", "12", "Hi"}).out);
}

TEST_F(cli, chat_takes_turns_from_a_pipe) {
    const ended got =
        run({"chat", "--temperature", "0", "--threads", "1", "--max-tokens", "8"}, {}, "Hi\n\nWho are you?\n");
    EXPECT_EQ(got.code, 0) << got.err;
    EXPECT_EQ(std::count(got.out.begin(), got.out.end(), '\n'), 2) << got.out;
}

TEST_F(cli, serve_is_found_by_the_other_verbs_and_stops_when_asked) {
    expect_message(run({"status"}), 1, {"No node is running", "starling serve"});
    program node({"serve", "--threads", "1", "--port", "0", "--log-format", "json"}, environment());
    const std::string line = node.wait_for_output("\"ready\"");
    const std::string url = url_in(line);
    ASSERT_FALSE(url.empty()) << line;
    const ended status = run({"status"});
    EXPECT_EQ(status.code, 0) << status.err;
    EXPECT_NE(status.out.find(url), std::string::npos);
    EXPECT_NE(run({"status", "--json"}).out.find("\"node_id\""), std::string::npos);
    EXPECT_EQ(run({"chat", "--threads", "1", "--max-tokens", "4", "Hi"}).code, 0);
    EXPECT_NE(run({"status"}).out.find("1 requests"), std::string::npos) << "the chat went to the running node";
    expect_message(run({"serve", "--port", "0"}), 1, {"Another node", "--data-dir"});
    const std::string port = url.substr(url.rfind(':') + 1);
    expect_message(run({"serve", "--port", port, "--data-dir", (dir_ / "other").string()}), 1,
                   {port.c_str(), "in use", "--port"});
    expect_message(run({"chat", "--url", url, "--model", "nobody", "Hi"}), 1, {"nobody"});

    program forwarding({"serve", "--threads", "1", "--port", "0", "--log-format", "json", "--data-dir",
                        (dir_ / "upstream").string(), "--upstream", url, "--model", "starter"},
                       environment());
    const std::string there = url_in(forwarding.wait_for_output("\"ready\""));
    const ended direct = run({"chat", "--url", url, "--seed", "3", "--threads", "1", "--max-tokens", "8", "Hi"});
    const ended through = run({"chat", "--url", there, "--seed", "3", "--threads", "1", "--max-tokens", "8", "Hi"});
    EXPECT_EQ(through.code, 0) << through.err;
    EXPECT_EQ(direct.out, through.out);
    forwarding.send(SIGINT);
    EXPECT_EQ(forwarding.wait().code, 0);

    node.send(SIGTERM);
    const ended stopped = node.wait();
    EXPECT_EQ(stopped.code, 0) << stopped.err;
    EXPECT_FALSE(fs::exists(dir_ / "starling" / "node.json"));
}

TEST_F(cli, a_killed_node_is_no_obstacle) {
    {
        program node({"serve", "--threads", "1", "--port", "0", "--log-format", "json"}, environment());
        ASSERT_FALSE(node.wait_for_output("\"ready\"").empty());
        node.send(SIGKILL);
        EXPECT_EQ(node.wait().code, -SIGKILL);
    }
    EXPECT_TRUE(fs::exists(dir_ / "starling" / "node.json"));
    expect_message(run({"status"}), 1, {"No node is running"});
    program again({"serve", "--threads", "1", "--port", "0", "--log-format", "json"}, environment());
    EXPECT_FALSE(again.wait_for_output("\"ready\"").empty());
    again.send(SIGTERM);
    EXPECT_EQ(again.wait().code, 0);
}

TEST_F(cli, keys_are_asked_for_and_found) {
    std::ofstream(dir_ / "keys") << "sk-1\n";
    program node(
        {"serve", "--threads", "1", "--port", "0", "--log-format", "json", "--api-key-file", (dir_ / "keys").string()},
        environment());
    const std::string url = url_in(node.wait_for_output("\"ready\""));
    EXPECT_EQ(run({"chat", "--threads", "1", "--max-tokens", "2", "Hi"}).code, 0)
        << "the key file is known from the data directory";
    const std::string elsewhere = (dir_ / "elsewhere").string();
    const ended refused = run({"chat", "--url", url, "--data-dir", elsewhere, "Hi"});
    expect_message(refused, 1, {"401", "--api-key-file"});
    EXPECT_EQ(run({"chat", "--url", url, "--data-dir", elsewhere, "--api-key-file", (dir_ / "keys").string(),
                   "--threads", "1", "--max-tokens", "2", "Hi"})
                  .code,
              0);
    expect_message(run({"status", "--url", url, "--data-dir", elsewhere}), 1, {"--api-key-file"});
}

TEST_F(cli, without_a_verb_it_idles) {
    program node({"--port", "0", "--log-format", "json"}, environment());
    ASSERT_FALSE(node.wait_for_output("\"ready\"").empty());
    expect_message(run({"status"}), 1, {"No node is running"});
    node.send(SIGINT);
    EXPECT_EQ(node.wait().code, 0);
}

TEST_F(cli, models_and_doctor_work_without_a_node) {
    const ended list = run({"models", "list"});
    EXPECT_EQ(list.code, 0) << list.err;
    EXPECT_NE(list.out.find("starter"), std::string::npos);
    const ended show = run({"models", "show", "starter"});
    EXPECT_EQ(show.code, 0) << show.err;
    EXPECT_NE(show.out.find("qwen3"), std::string::npos);
    const ended doctor = run({"doctor", "--port", "0"});
    EXPECT_EQ(doctor.code, 0) << doctor.out;
    struct ::stat about{};
    ASSERT_EQ(::stat((dir_ / "starling").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

}  // namespace
}  // namespace starling::cli::test

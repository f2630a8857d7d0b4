// Whole nodes in this process: with the real engine and the built-in model, on free ports.
#include "node/node.hpp"
#include "repository_paths.hpp"

#include "fetch/fetch.hpp"
#include "node/log.hpp"
#include "node/running_node.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <stdlib.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

namespace starling::node {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::vector<std::byte> read_starter() {
    std::ifstream in(std::string(STARLING_MODELS_DIR) + "/starter.gguf", std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::vector<std::byte> out(bytes.size());
    std::transform(bytes.begin(), bytes.end(), out.begin(), [](char c) { return static_cast<std::byte>(c); });
    return out;
}

/// A node that runs on a thread of its own until the test is over.
class running {
  public:
    running(settings::config settings, purpose why, std::span<const std::byte> starter, bool may_restart = false) {
        resources with;
        with.may_restart = may_restart;
        with.starter = starter;
        with.log = make_logger(std::make_shared<spdlog::sinks::null_sink_mt>(), settings::log_format::pretty,
                               settings::log_level::error);
        with.observer.on_listening = [this](const listening_event& e) { listening_.set_value(e); };
        with.observer.on_ready = [this](const listening_event& e) { ready_.set_value(e); };
        with.observer.on_model = [this](const model_event& e) {
            const std::scoped_lock lock(mutex_);
            events_.push_back(e);
        };
        auto made = node::create(std::move(settings), why, std::move(with));
        if (!made) {
            outcome_ = made.error();
            return;
        }
        node_ = std::move(*made);
        thread_ = std::thread([this] {
            outcome_ = node_->run();
            ended_.set_value();
        });
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { stop(); }

    result<void> stop() {
        if (thread_.joinable()) {
            node_->stop();
            thread_.join();
        }
        return outcome_;
    }
    bool ended_by_itself() { return ended_.get_future().wait_for(30s) == std::future_status::ready; }

    node* operator->() { return node_.get(); }
    bool created() const { return node_ != nullptr; }
    const result<void>& outcome() const { return outcome_; }
    listening_event listening() { return wait(listening_); }
    listening_event ready() { return wait(ready_); }
    std::vector<model_event> events() {
        const std::scoped_lock lock(mutex_);
        return events_;
    }

  private:
    static listening_event wait(std::promise<listening_event>& promise) {
        auto future = promise.get_future();
        if (future.wait_for(30s) != std::future_status::ready) {
            ADD_FAILURE() << "the node did not get there";
            return {};
        }
        return future.get();
    }

    std::promise<listening_event> listening_;
    std::promise<listening_event> ready_;
    std::promise<void> ended_;
    std::mutex mutex_;
    std::vector<model_event> events_;
    std::unique_ptr<node> node_;
    std::thread thread_;
    result<void> outcome_;
};

asio::awaitable<std::string> answer(node* from, std::int32_t tokens) {
    auto generator = from->generator("");
    if (!generator) {
        co_return "error: " + generator.error().message;
    }
    engine::message message;
    message.content = "Hi";
    engine::chat_prompt prompt;
    prompt.messages.push_back(message);
    engine::generate_request request;
    request.prompt = prompt;
    request.sampling.temperature = 0.0F;
    request.max_tokens = tokens;
    aio::call_context call;
    auto stream = co_await (*generator)->generate(std::move(request), std::move(call));
    if (!stream) {
        co_return "error: " + stream.error().message;
    }
    std::string text;
    for (;;) {
        auto event = co_await (*stream)->next();
        if (!event) {
            co_return "error: " + event.error().message;
        }
        if (const auto* chunk = std::get_if<engine::chunk>(&*event)) {
            text += chunk->content;
        } else {
            co_return text;
        }
    }
}

asio::awaitable<int> status_of(fetch::client* http, std::string url) {
    fetch::request request;
    request.url = std::move(url);
    auto response = co_await http->open(std::move(request));
    co_return response ? (*response)->head().status : 0;
}

class nodes : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { starter_ = read_starter(); }

    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-nodes-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { fs::remove_all(dir_); }

    settings::config config_for(const std::string& name = "a") {
        settings::config out;
        out.data_dir = dir_ / name;
        out.port = 0;
        out.threads = 1;
        return out;
    }

    static inline std::vector<std::byte> starter_;
    fs::path dir_;
};

TEST_F(nodes, serve_and_stop) {
    running node(config_for(), purpose::serve, starter_);
    ASSERT_TRUE(node.created()) << node.outcome().error().message;
    const listening_event at = node.listening();
    EXPECT_EQ(at.node_id.size(), 64U);
    EXPECT_TRUE(find_running(dir_ / "a"));
    EXPECT_EQ(node.ready().api_url, at.api_url);
    EXPECT_EQ(node.events().back().phase, model_phase::ready);
    EXPECT_EQ(node.events().back().id, "starter");

    auto http = fetch::client::create();
    ASSERT_TRUE(http);
    EXPECT_EQ(asio::co_spawn(node->executor(), status_of(http->get(), at.api_url + "/health"), asio::use_future).get(),
              200);
    const std::string text = asio::co_spawn(node->executor(), answer(&*node.operator->(), 8), asio::use_future).get();
    EXPECT_FALSE(text.empty());
    EXPECT_FALSE(text.starts_with("error: ")) << text;

    EXPECT_TRUE(node.stop());
    EXPECT_FALSE(find_running(dir_ / "a"));
}

/// Posts JSON with the control token of the node that runs on `data_dir`.
asio::awaitable<std::string> wish(fetch::client* http, fs::path data_dir, std::string body) {
    const auto at = find_running(data_dir);
    fetch::request request;
    request.method = "POST";
    request.url = at->api_url + "/api/sharing";
    request.headers = {{"authorization", "Bearer " + at->control_token}, {"content-type", "application/json"}};
    request.body = std::move(body);
    auto response = co_await http->open(std::move(request));
    std::string text;
    while (response) {
        auto piece = co_await (*response)->read();
        if (!piece || piece->empty()) {
            break;
        }
        text += *piece;
    }
    co_return text;
}

/// On an executor of its own: the node's ends with the node.
std::string answer_to(fetch::client* http, const fs::path& data_dir, std::string body) {
    asio::io_context io;
    auto text = asio::co_spawn(io, wish(http, data_dir, std::move(body)), asio::use_future);
    io.run();
    return text.get();
}

TEST_F(nodes, what_takes_a_restart_is_fixed_where_nobody_would_start_it_again) {
    running node(config_for(), purpose::serve, starter_);
    ASSERT_TRUE(node.created()) << node.outcome().error().message;
    node.ready();
    auto http = fetch::client::create();
    const std::string refused = answer_to(http->get(), dir_ / "a", R"({"reachable":true})");
    EXPECT_NE(refused.find("cannot be changed here"), std::string::npos) << refused;
    const std::string done = answer_to(http->get(), dir_ / "a", R"({"sharing":false})");
    EXPECT_NE(done.find(R"("sharing":false)"), std::string::npos) << done;
    EXPECT_NE(done.find(R"("fixed":["reachable","who"])"), std::string::npos) << done;
    EXPECT_TRUE(node.stop());
    EXPECT_FALSE(node->restart_settings());
}

TEST_F(nodes, a_restart_is_asked_for_with_the_ports_that_it_had) {
    settings::config settings = config_for();
    settings.peer_port = 0;
    running node(settings, purpose::serve, starter_, true);
    ASSERT_TRUE(node.created()) << node.outcome().error().message;
    const std::string url = node.ready().api_url;
    auto http = fetch::client::create();
    const std::string done = answer_to(http->get(), dir_ / "a", R"({"reachable":true})");
    EXPECT_NE(done.find(R"("restarting":true)"), std::string::npos) << done;
    EXPECT_TRUE(node.ended_by_itself());
    const auto again = node->restart_settings();
    ASSERT_TRUE(again);
    EXPECT_TRUE(url.ends_with(":" + std::to_string(again->port))) << url;
    EXPECT_NE(again->peer_port, 0);
    EXPECT_EQ(again->peer_bind, "") << "what was chosen is not what was given";
}

TEST_F(nodes, two_fit_in_one_process_but_not_on_one_directory) {
    running first(config_for("a"), purpose::serve, starter_);
    running second(config_for("b"), purpose::serve, starter_);
    ASSERT_TRUE(first.created() && second.created());
    EXPECT_NE(first.ready().node_id, second.ready().node_id);
    running third(config_for("a"), purpose::serve, starter_);
    ASSERT_FALSE(third.created());
    EXPECT_TRUE(third.outcome().error() == errc::already_running);
}

TEST_F(nodes, a_port_in_use_is_named) {
    running first(config_for("a"), purpose::serve, starter_);
    const std::string url = first.listening().api_url;
    settings::config same = config_for("b");
    same.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    running second(same, purpose::serve, starter_);
    ASSERT_TRUE(second.ended_by_itself());
    const auto outcome = second.stop();
    ASSERT_FALSE(outcome);
    EXPECT_TRUE(outcome.error() == errc::cannot_listen);
    EXPECT_NE(outcome.error().message.find(std::to_string(same.port)), std::string::npos);
    EXPECT_NE(outcome.error().message.find("--port"), std::string::npos);
}

TEST_F(nodes, a_private_engine_leaves_the_running_node_alone) {
    running served(config_for(), purpose::serve, starter_);
    served.ready();
    running own(config_for(), purpose::private_engine, starter_);
    ASSERT_TRUE(own.created()) << own.outcome().error().message;
    own.ready();
    const std::string text = asio::co_spawn(own->executor(), answer(&*own.operator->(), 4), asio::use_future).get();
    EXPECT_FALSE(text.starts_with("error: ")) << text;
    EXPECT_TRUE(own.stop());
    EXPECT_TRUE(find_running(dir_ / "a"));
}

TEST_F(nodes, idle_serves_no_model) {
    running node(config_for(), purpose::idle, {});
    ASSERT_TRUE(node.created());
    node.ready();
    const std::string text = asio::co_spawn(node->executor(), answer(&*node.operator->(), 4), asio::use_future).get();
    EXPECT_TRUE(text.starts_with("error: ")) << text;
    EXPECT_TRUE(node.stop());
    EXPECT_FALSE(fs::exists(dir_ / "a" / "models" / "starter.gguf"));
}

TEST_F(nodes, stopping_at_any_moment_is_clean) {
    for (int delay_ms = 0; delay_ms < 60; delay_ms += 6) {
        running node(config_for(), purpose::serve, starter_);
        ASSERT_TRUE(node.created()) << node.outcome().error().message;
        std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
        EXPECT_TRUE(node.stop()) << delay_ms;
        EXPECT_FALSE(find_running(dir_ / "a"));
    }
}

TEST_F(nodes, what_can_be_known_is_told_before_anything_runs) {
    const auto refused = [this](const std::string& model) {
        settings::config wrong = config_for();
        wrong.models = {model};
        running node(wrong, purpose::serve, starter_);
        EXPECT_FALSE(node.created()) << model;
        EXPECT_TRUE(node.outcome().error() == errc::model) << model;
        EXPECT_FALSE(fs::exists(dir_ / "a" / "node.json"));
        return node.outcome().error().message;
    };
    EXPECT_NE(refused((dir_ / "missing.gguf").string()).find("missing.gguf"), std::string::npos);
    std::ofstream(dir_ / "text.gguf") << "not a model at all";
    EXPECT_NE(refused((dir_ / "text.gguf").string()).find("GGUF"), std::string::npos);
    std::ofstream cut(dir_ / "cut.gguf", std::ios::binary);
    cut.write(reinterpret_cast<const char*>(starter_.data()), static_cast<std::streamsize>(starter_.size() / 2));
    cut.close();
    EXPECT_NE(refused((dir_ / "cut.gguf").string()).find("ends"), std::string::npos);
    refused("nonsense");
}

TEST_F(nodes, a_draft_is_loaded_with_the_models_it_is_for) {
    settings::config drafted = config_for();
    drafted.draft = STARLING_MODELS_DIR "/starter-draft.gguf";
    {
        running node(drafted, purpose::serve, starter_);
        ASSERT_TRUE(node.created()) << node.outcome().error().message;
        EXPECT_FALSE(node.ready().api_url.empty());
    }
    drafted.draft = (dir_ / "missing.gguf").string();
    running node(drafted, purpose::serve, starter_);
    ASSERT_FALSE(node.created());
    EXPECT_NE(node.outcome().error().message.find("missing.gguf"), std::string::npos) << node.outcome().error().message;
}

TEST_F(nodes, a_damaged_memory_of_the_mesh_is_named_and_kept) {
    fs::create_directories(dir_ / "a");
    const std::string damaged = R"({"mesh_id":"it was here once","certificate":"AAAA"})";
    std::ofstream(dir_ / "a" / "mesh.json") << damaged;
    running node(config_for(), purpose::serve, starter_);
    if (node.created()) {
        ASSERT_TRUE(node.ended_by_itself());
    }
    const auto outcome = node.stop();
    ASSERT_FALSE(outcome);
    EXPECT_TRUE(outcome.error() == errc::data_dir);
    EXPECT_NE(outcome.error().message.find("mesh.json is damaged"), std::string::npos) << outcome.error().message;
    std::ifstream in(dir_ / "a" / "mesh.json");
    const std::string kept{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(kept, damaged);
}

TEST_F(nodes, stopping_gives_a_download_up) {
    settings::config unreachable = config_for();
    unreachable.models = {"hf://owner/repository/file.gguf"};
    unreachable.hub_url = "http://127.0.0.1:1";
    running node(unreachable, purpose::serve, starter_);
    ASSERT_TRUE(node.created()) << node.outcome().error().message;
    node.listening();
    const auto stopped_at = std::chrono::steady_clock::now();
    node.stop();  // gives the attempts up
    EXPECT_LT(std::chrono::steady_clock::now() - stopped_at, 10s);
}

TEST_F(nodes, a_build_without_a_starter_says_so) {
    running node(config_for(), purpose::serve, {});
    ASSERT_FALSE(node.created());
    EXPECT_NE(node.outcome().error().message.find("no starter model"), std::string::npos)
        << node.outcome().error().message;
}

}  // namespace
}  // namespace starling::node

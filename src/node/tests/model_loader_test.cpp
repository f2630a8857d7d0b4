// Models that come and go while a node runs, with the real engine and the built-in model.
#include "node/model_loader.hpp"
#include "repository_paths.hpp"

#include "http/tests/network_thread.hpp"
#include "node/local_shelf.hpp"
#include "node/log.hpp"
#include "node/model_files.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace starling::node {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using http::testing::eventually;
using route::model_state;

const fs::path starter = fs::path(STARLING_MODELS_DIR) / "starter.gguf";

/// What a node puts together, without a port and a mesh.
class model_loader_test : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-loader-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
        tale_ = (dir_ / "tale.gguf").string();
        fs::copy_file(starter, tale_);
        settings_.data_dir = dir_ / "data";
        settings_.threads = 1;
        settings_.slots = 1;
        settings_.context = 256;
        log_ = make_logger(std::make_shared<spdlog::sinks::null_sink_mt>(), settings::log_format::pretty,
                           settings::log_level::error);
        auto http = fetch::client::create();
        http_ = std::move(*http);
    }

    void begin(const std::vector<std::string>& named = {}, const std::string& refuses_loads = {}) {
        auto store = make_store(settings_, {}, *http_);
        store_ = std::move(*store);
        loader_services services;
        services.network = network_.io.get_executor();
        services.store = store_.get();
        services.table = &table_;
        services.http = http_.get();
        services.log = log_;
        services.on_settled = [this] { ++settled_; };
        services.on_files = [this] { shelf_->outdated(); };
        services.on_unloaded = [this](const std::string& id) { unloaded_.push_back(id); };
        loader_ = std::make_unique<model_loader>(services, settings_);
        shelf_ = std::make_unique<local_shelf>(shelf_parts{.network = network_.io.get_executor(),
                                                           .store = store_.get(),
                                                           .loader = loader_.get(),
                                                           .log = log_,
                                                           .refuses_loads = refuses_loads});
        for (const std::string& one : named) {
            ASSERT_TRUE(loader_->add(one));
        }
        network_.call([this] { loader_->start(); });
    }

    void end() {
        if (shelf_) {
            network_.await(shelf_->stop());
            network_.await(loader_->stop());
            network_.call([this] {
                table_ = {};
                loader_->close();
                shelf_.reset();
                loader_.reset();
            });
        }
    }

    void TearDown() override {
        end();
        fs::remove_all(dir_);
    }

    result<api::shelf_answer> load(const std::string& reference) { return network_.await(shelf_->load(reference)); }
    result<api::shelf_answer> unload(const std::string& id) {
        return network_.call([&] { return shelf_->unload(id); });
    }
    std::optional<model_state> state(const std::string& id) {
        return network_.call([&]() -> std::optional<model_state> {
            for (const auto& one : table_.snapshot(std::chrono::steady_clock::now())) {
                if (one.id == id) {
                    return one.state;
                }
            }
            return std::nullopt;
        });
    }
    bool becomes(const std::string& id, model_state wanted) {
        return eventually([&] { return state(id) == wanted; });
    }
    std::shared_ptr<engine::generator> generator(const std::string& id) {
        return network_.call([&] { return table_.choose(id, std::chrono::steady_clock::now())->generator; });
    }
    std::vector<api::shelf_file> files() {
        network_.await(shelf_->look());
        return network_.call([this] { return shelf_->files(); });
    }

    fs::path dir_;
    std::string tale_;
    settings::config settings_;
    std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<fetch::client> http_;
    std::unique_ptr<models::model_store> store_;
    route::model_table table_;
    std::atomic<int> settled_ = 0;
    std::vector<std::string> unloaded_;
    http::testing::network_thread network_;
    std::unique_ptr<model_loader> loader_;
    std::unique_ptr<local_shelf> shelf_;
};

TEST_F(model_loader_test, a_node_without_models_loads_one_when_asked) {
    begin();
    EXPECT_TRUE(eventually([this] { return settled_ == 1; }));
    const auto begun = load(tale_);
    ASSERT_TRUE(begun) << begun.error().message;
    EXPECT_EQ(begun->id, "tale");
    EXPECT_EQ(begun->state, "loading");
    ASSERT_TRUE(becomes("tale", model_state::ready));
    EXPECT_EQ(load(tale_)->state, "ready");
    EXPECT_EQ(load("tale")->state, "ready");
    EXPECT_EQ(settled_, 1);  // that is about the start
}

TEST_F(model_loader_test, an_unloaded_engine_lives_for_whoever_has_it_and_ends_elsewhere) {
    begin();
    ASSERT_TRUE(load(tale_));
    ASSERT_TRUE(becomes("tale", model_state::ready));
    auto held = generator("tale");
    const std::weak_ptr<engine::generator> seen = held;
    const auto done = unload("tale");
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->state, "on_disk");
    EXPECT_EQ(unloaded_, std::vector<std::string>{"tale"});
    EXPECT_EQ(state("tale"), std::nullopt);
    EXPECT_EQ(seen.use_count(), 1);
    EXPECT_EQ(held->info().id, "tale");
    held.reset();
    EXPECT_TRUE(seen.expired());
    ASSERT_TRUE(load("tale"));  // its id is enough from now on
    EXPECT_TRUE(becomes("tale", model_state::ready));
}

TEST_F(model_loader_test, what_was_named_at_start_stays_in_reserve) {
    begin({tale_});
    ASSERT_TRUE(becomes("tale", model_state::ready));
    EXPECT_EQ(unload("tale")->state, "standby");
    EXPECT_EQ(state("tale"), model_state::standby);
    EXPECT_FALSE(unload("tale"));
    network_.call([this] { loader_->load_standby("tale"); });
    ASSERT_TRUE(becomes("tale", model_state::ready));
    EXPECT_EQ(unload("tale")->state, "standby");
    EXPECT_EQ(load("tale")->state, "loading");
    EXPECT_TRUE(becomes("tale", model_state::ready));
    EXPECT_EQ(settled_, 1);
}

TEST_F(model_loader_test, what_cannot_be_loaded_is_refused_with_the_reason) {
    begin({tale_});
    ASSERT_TRUE(becomes("tale", model_state::ready));
    fs::create_directory(dir_ / "other");
    fs::copy_file(starter, dir_ / "other" / "tale.gguf");
    std::ofstream(dir_ / "text.gguf") << "not a model at all";
    const auto refused = [this](const std::string& reference) {
        const auto answer = load(reference);
        EXPECT_FALSE(answer) << reference;
        return answer ? fail(errc::internal, "") : answer.error();
    };
    EXPECT_TRUE(refused((dir_ / "other" / "tale.gguf").string()) == engine::errc::invalid_request);
    EXPECT_TRUE(refused((dir_ / "text.gguf").string()) == engine::errc::invalid_request);
    EXPECT_TRUE(refused((dir_ / "missing.gguf").string()) == engine::errc::unknown_model);
    EXPECT_TRUE(refused("nonsense") == engine::errc::unknown_model);
    EXPECT_TRUE(refused("http://example.org/x.gguf") == engine::errc::invalid_request);
    EXPECT_TRUE(refused("") == engine::errc::invalid_request);
    EXPECT_EQ(state("tale"), model_state::ready);
    EXPECT_FALSE(unload("nobody"));
}

TEST_F(model_loader_test, a_download_is_given_up_when_it_is_unloaded_and_when_the_node_ends) {
    settings_.hub_url = "http://127.0.0.1:1";
    begin();
    for (const bool named_before : {false, true}) {
        ASSERT_TRUE(load("hf://owner/repository/far.gguf")) << named_before;
        EXPECT_EQ(load("far")->state, "loading");
        EXPECT_TRUE(network_.call([this] { return shelf_->may_unload("far"); }));
        const auto done = unload("far");
        ASSERT_TRUE(done) << done.error().message;
        EXPECT_EQ(done->state, "on_disk");
        ASSERT_TRUE(eventually([&] { return !state("far"); }));
        EXPECT_FALSE(unload("far"));
    }
    EXPECT_EQ(unloaded_, (std::vector<std::string>{"far", "far"}));
    EXPECT_TRUE(network_.call([this] { return loader_->last_failure(); }).empty());
    ASSERT_TRUE(load("far"));
    const auto before = std::chrono::steady_clock::now();
    end();  // gives the download up
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST_F(model_loader_test, a_load_is_given_up_when_it_is_unloaded_and_can_be_begun_again) {
    begin({tale_});
    const auto done = network_.call([this] { return shelf_->unload("tale"); });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->state, "standby");
    const auto at_once = network_.call([this] { return shelf_->may_unload("tale"); });
    ASSERT_TRUE(becomes("tale", model_state::standby)) << at_once;
    EXPECT_EQ(settled_, 1);
    ASSERT_TRUE(load("tale"));
    EXPECT_TRUE(becomes("tale", model_state::ready));
}

TEST_F(model_loader_test, a_model_that_breaks_while_it_is_loaded_has_failed_and_can_be_tried_again) {
    begin();
    // A header that is whole, of an architecture that nobody knows.
    std::string bytes;
    {
        std::ifstream in(starter, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    const std::string good = bytes;
    const auto at = bytes.find("general.architecture") + std::string("general.architecture").size() + 4 + 8;
    bytes[at] = 'X';
    std::ofstream(tale_, std::ios::binary) << bytes;
    const auto begun = load(tale_);
    ASSERT_TRUE(begun) << begun.error().message;
    ASSERT_TRUE(becomes("tale", model_state::failed));
    EXPECT_FALSE(unload("tale"));
    std::ofstream(tale_, std::ios::binary | std::ios::trunc) << good;
    ASSERT_TRUE(load(tale_));
    EXPECT_TRUE(becomes("tale", model_state::ready));
    EXPECT_EQ(settled_, 1);
}

TEST_F(model_loader_test, the_memory_of_loaded_models_counts) {
    const fs::path second = dir_ / "second.gguf";
    fs::copy_file(starter, second);
    settings_.memory_bytes = 1;
    begin();
    const auto sentence = load(tale_);
    ASSERT_FALSE(sentence);
    EXPECT_NE(sentence.error().message.find("are free"), std::string::npos) << sentence.error().message;
    end();

    const models::reference which = *models::parse_reference(tale_);
    settings_.memory_bytes = store_->show(which)->memory.total_bytes() * 3 / 2;
    begin();
    ASSERT_TRUE(load(tale_));
    EXPECT_FALSE(load(second.string())) << "while the first one is loaded";
    ASSERT_TRUE(becomes("tale", model_state::ready));
    EXPECT_FALSE(load(second.string()));
    ASSERT_TRUE(unload("tale"));
    const auto begun = load(second.string());
    EXPECT_TRUE(begun) << begun.error().message;
    EXPECT_TRUE(becomes("second", model_state::ready));
}

TEST_F(model_loader_test, not_too_many_load_at_once) {
    settings_.hub_url = "http://127.0.0.1:1";
    begin();
    for (std::size_t i = 0; i < max_loads; ++i) {
        ASSERT_TRUE(load("hf://owner/repository/far" + std::to_string(i) + ".gguf"));
    }
    const auto refused = load(tale_);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == engine::errc::queue_full);
}

TEST_F(model_loader_test, a_node_that_serves_nothing_says_so) {
    begin({}, "This node is a client.");
    const auto refused = load(tale_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "This node is a client.");
    EXPECT_FALSE(network_.call([this] { return shelf_->may_load("tale"); }));
}

TEST_F(model_loader_test, the_shelf_has_what_lies_in_the_store_and_what_was_named) {
    const fs::path hub = settings_.data_dir / "models" / "hub" / "owner" / "repository";
    fs::create_directories(hub);
    fs::copy_file(starter, hub / "kept.gguf");
    begin();
    const auto before = files();
    ASSERT_EQ(before.size(), 1U);
    EXPECT_EQ(before[0].id, "kept");
    EXPECT_EQ(before[0].source, "hf://owner/repository/kept.gguf");
    EXPECT_EQ(before[0].size_bytes, fs::file_size(starter));
    EXPECT_GT(before[0].context_length, 0);

    ASSERT_TRUE(load(tale_));
    ASSERT_TRUE(becomes("tale", model_state::ready));
    ASSERT_TRUE(unload("tale"));
    EXPECT_EQ(files().size(), 2U);  // at once, for this node did it
    EXPECT_TRUE(network_.call([this] { return shelf_->may_load("tale"); }));
    ASSERT_TRUE(load("kept"));
    EXPECT_TRUE(becomes("kept", model_state::ready));
    fs::remove(tale_);
    network_.call([this] { shelf_->outdated(); });
    EXPECT_EQ(files().size(), 1U);
}

TEST(engine_exit, engines_end_on_its_thread_and_later_where_they_are_let_go) {
    class counted final : public engine::generator {
      public:
        explicit counted(std::atomic<std::size_t>& ended_on) : ended_on_(ended_on) {}
        ~counted() override { ended_on_ = std::hash<std::thread::id>{}(std::this_thread::get_id()); }
        engine::model_info info() const override { return {}; }
        engine::engine_load load() const override { return {}; }
        engine::awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request,
                                                                                  aio::call_context) override {
            co_return fail(engine::errc::internal, "none");
        }
        engine::awaitable<result<engine::embedding_result>> embed(engine::embed_request, aio::call_context) override {
            co_return fail(engine::errc::internal, "none");
        }

      private:
        std::atomic<std::size_t>& ended_on_;
    };
    const std::size_t here = std::hash<std::thread::id>{}(std::this_thread::get_id());
    std::atomic<std::size_t> first = 0;
    std::atomic<std::size_t> second = 0;
    std::shared_ptr<engine::generator> late;
    {
        engine_exit exit;
        auto early = exit.guard(std::make_shared<counted>(first));
        late = exit.guard(std::make_shared<counted>(second));
        early.reset();
        exit.close();
        EXPECT_NE(first, 0U);
        EXPECT_NE(first, here);
        EXPECT_EQ(second, 0U);
    }
    late.reset();
    EXPECT_EQ(second, here);
}

}  // namespace
}  // namespace starling::node

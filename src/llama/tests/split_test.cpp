// A model cut into slices, computed stage after stage behind the same scheduler: what comes out is what the whole model
// gives, also when the stages are lost on the way.
#include "engine_fixture.hpp"

#include "llama/assemble.hpp"
#include "llama/dry_run.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace starling::llama {

namespace {

namespace fs = std::filesystem;

constexpr std::int32_t context = 512;
constexpr std::int32_t slots = 3;

/// The stages in this process, one after the other. Loses all of them every `lose_every` steps.
class chain_of_slices final : public stage_chain {
  public:
    chain_of_slices(std::vector<std::unique_ptr<stage>> stages, std::size_t lose_every)
        : stages_(std::move(stages)), lose_every_(lose_every) {}

    std::size_t depth() const override { return stages_.size(); }
    bool single_pass() const override { return true; }
    std::int32_t widest() const override { return stages_.front()->widest(); }
    bool usable() const override { return true; }
    std::optional<error> ended() const override { return std::nullopt; }
    void submit(step step) override {
        most_waiting = std::max(most_waiting, waiting_.size() + 1);
        waiting_.push_back(std::move(step));
    }
    bool ready() const override { return !waiting_.empty(); }

    result<void> collect() override {
        if (lose_every_ > 0 && ++collected_ % lose_every_ == 0) {
            waiting_.clear();
            const step clear{.edits = {truncation{0, 0}, truncation{1, 0}, truncation{2, 0}}, .tokens = {}};
            for (const auto& one : stages_) {
                EXPECT_TRUE(one->run(clear, {}, nullptr));
            }
            return fail(errc::stages_lost, "lost");
        }
        std::this_thread::sleep_for(trip);
        const step next = waiting_.front();
        auto states = collect_hidden();
        return states ? stages_.back()->run(next, *states, nullptr) : result<void>(states.error());
    }

    result<std::vector<float>> collect_hidden() override {
        const step next = std::move(waiting_.front());
        waiting_.pop_front();
        std::vector<float> in;
        for (std::size_t i = 0; i + 1 < stages_.size(); ++i) {
            std::vector<float> out;
            if (auto ran = stages_[i]->run(next, in, &out); !ran) {
                return ran.error();
            }
            in = std::move(out);
        }
        return in;
    }

    stage& last() override { return *stages_.back(); }
    std::shared_ptr<const engine::replacement> replaced() const override { return moved_to; }
    position lowest_position(sequence_id sequence, position) const override {
        return stages_.back()->lowest_position(sequence);
    }
    std::int32_t sliding_window() const override { return 0; }
    std::uint64_t sequence_bytes() const override { return stages_.back()->sequence_bytes(); }
    void notify(std::function<void()>) override {}
    void interrupt() override { stages_.back()->interrupt(); }

    std::size_t most_waiting = 0;
    std::chrono::milliseconds trip{0};  // that a step is on its way, besides being computed
    std::shared_ptr<const engine::replacement> moved_to;

  private:
    std::vector<std::unique_ptr<stage>> stages_;
    std::deque<step> waiting_;
    std::size_t lose_every_;
    std::size_t collected_ = 0;
};

const std::string whole_path = STARLING_MODELS_DIR "/starter.gguf";

class split_test : public engine_test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-split-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { fs::remove_all(dir_); }

    fs::path slice(gguf::layer_range layers) {
        auto header = gguf::read_header(whole_path);
        auto plan = gguf::plan_slice(*header, layers, "");
        EXPECT_TRUE(plan) << plan.error().message;
        auto from = gguf::open_file(whole_path);
        const auto to = dir_ / (std::to_string(layers.first) + ".gguf");
        auto written = gguf::write_slice(*plan, **from, to);
        EXPECT_TRUE(written) << written.error().message;
        return to;
    }

    /// `cuts`: where each stage ends.
    std::shared_ptr<engine::generator> split(std::vector<std::int32_t> cuts, std::size_t lose_every = 0,
                                             const fs::path& draft = {}) {
        std::vector<std::unique_ptr<stage>> stages;
        std::int32_t first = 0;
        for (const std::int32_t end : cuts) {
            engine_options options;
            options.id = "slice";
            options.path = slice({first, end});
            auto loaded = model::load(options, {}, {});
            EXPECT_TRUE(loaded) << loaded.error().message;
            auto made = stage::create(*loaded, {.context = context,
                                                .sequences = slots,
                                                .threads = 1,
                                                .widest = 128,
                                                .outputs = draft.empty() ? 0 : max_verified_tokens});
            EXPECT_TRUE(made) << made.error().message;
            stages.push_back(std::move(*made));
            first = end;
        }
        engine_options options;
        options.id = "starter";
        options.path = whole_path;
        options.context = context;
        options.slots = slots;
        options.threads = 1;
        options.draft = draft;
        auto text = model::load_text(options);
        EXPECT_TRUE(text) << text.error().message;
        auto chain = std::make_unique<chain_of_slices>(std::move(stages), lose_every);
        chain_ = chain.get();
        auto drafter = load_drafter(options, **text, {}, {});
        EXPECT_TRUE(drafter) << drafter.error().message;
        chain_->trip = std::chrono::milliseconds(*drafter ? 12 : 0);
        return make_engine(*text, std::move(chain), options, {}, std::move(*drafter));
    }

    std::shared_ptr<engine::generator> whole() {
        engine_options options;
        options.context = context;
        options.slots = slots;
        return load(options);
    }

    fs::path dir_;
    chain_of_slices* chain_ = nullptr;
};

}  // namespace

TEST_F(split_test, AStreamIsTheSameAsOfTheWholeModel) {
    const auto expected = ask(*whole(), chat("Tell me a story about a lighthouse."));
    ASSERT_FALSE(expected.content.empty());
    for (const auto& cuts : {std::vector<std::int32_t>{4, 8}, {3, 6, 8}, {1, 2, 3, 8}}) {
        const auto got = ask(*split(cuts), chat("Tell me a story about a lighthouse."));
        EXPECT_FALSE(got.failure);
        EXPECT_EQ(got.content, expected.content);
        EXPECT_EQ(got.end->usage.prompt_tokens, expected.end->usage.prompt_tokens);
    }
}

TEST_F(split_test, StreamsAreDealtOverTheStages) {
    const auto engine = split({3, 6, 8});
    std::vector<engine::generate_request> requests;
    std::vector<std::string> expected;
    const auto reference = whole();
    for (const char* prompt : {"Once upon a time", "The sea was", "A fox"}) {
        requests.push_back(completion(prompt, 60));
        expected.push_back(ask(*reference, completion(prompt, 60)).content);
    }
    const auto got = ask_all(*engine, requests);
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].content, expected[i]);
    }
    EXPECT_GE(chain_->most_waiting, 3U);
}

TEST_F(split_test, WhatWasLostIsComputedAgain) {
    const auto reference = whole();
    auto request = completion("Once upon a time there was a", 120);
    request.sampling.temperature = 0.9F;
    request.sampling.seed = 7;
    const auto expected = ask(*reference, request);
    const auto got = ask(*split({3, 6, 8}, 20), request);
    EXPECT_FALSE(got.failure);
    EXPECT_EQ(got.content, expected.content);
    EXPECT_TRUE(got.replaced_after.empty()) << "the same machines go on";
}

TEST_F(split_test, AReaderIsToldOfEachReplacementOnceAndOnlyInTheMiddleOfAnAnswer) {
    const auto engine = split({3, 6, 8}, 20);
    chain_->moved_to = std::make_shared<const engine::replacement>();
    const auto got = ask(*engine, completion("Once upon a time there was a", 70));
    EXPECT_FALSE(got.failure);
    ASSERT_GE(got.replaced_after.size(), 2U);
    EXPECT_GT(got.replaced_after.front(), 0U);
    for (std::size_t i = 1; i < got.replaced_after.size(); ++i) {
        EXPECT_GT(got.replaced_after[i], got.replaced_after[i - 1]);
    }
    const auto fresh = split({4, 8}, 1'000);
    chain_->moved_to = std::make_shared<const engine::replacement>();
    EXPECT_TRUE(ask(*fresh, completion("The sea", 20)).replaced_after.empty());
}

TEST_F(split_test, ADraftChangesNothing) {
    const auto reference = whole();
    std::vector<engine::generate_request> requests;
    std::vector<gathered> expected;
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
        auto request = completion("Once upon a time there was a", static_cast<std::int32_t>(30 + 20 * seed));
        request.sampling.temperature = seed % 2 == 0 ? 0.0F : 0.8F;
        request.sampling.seed = seed;
        expected.push_back(ask(*reference, request));
        requests.push_back(std::move(request));
    }
    const std::vector<std::pair<std::vector<std::int32_t>, std::size_t>> layouts{{{4, 8}, 0}, {{3, 6, 8}, 25}};
    for (const auto& [cuts, lose_every] : layouts) {
        const auto drafted = split(cuts, lose_every, STARLING_MODELS_DIR "/starter-draft.gguf");
        const auto got = ask_all(*drafted, requests);
        for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_FALSE(got[i].failure) << got[i].failure->message;
            EXPECT_EQ(got[i].tokens, expected[i].tokens) << i;
        }
        EXPECT_GT(drafted->load().draft_accepted, 10U);
        EXPECT_GT(drafted->load().draft_rejected, 3U);
    }
}

TEST_F(split_test, AnEmbeddingGoesThroughAllStages) {
    const auto engine = split({3, 6, 8});
    const auto reference = whole();
    const auto embed = [](engine::generator& by) {
        boost::asio::io_context io;
        engine::embed_request request;
        request.inputs = {"A lighthouse by the sea.", "The fox."};
        auto done =
            boost::asio::co_spawn(io, by.embed(std::move(request), aio::call_context("test")), boost::asio::use_future);
        io.run();
        return done.get();
    };
    const auto expected = embed(*reference);
    const auto got = embed(*engine);
    ASSERT_TRUE(expected);
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->vectors.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        double dot = 0;
        for (std::size_t j = 0; j < got->vectors[i].size(); ++j) {
            dot += static_cast<double>(got->vectors[i][j]) * expected->vectors[i][j];
        }
        EXPECT_GT(dot, 0.9999);
    }
    EXPECT_EQ(ask(*engine, completion("The sea", 20)).content, ask(*reference, completion("The sea", 20)).content);
}

TEST_F(split_test, MemoryIsCountedWithoutTakingIt) {
    const auto path = slice({2, 5});
    const auto small = measure_stage(path, {.context = 512, .sequences = 2, .widest = 128});
    const auto large = measure_stage(path, {.context = 512, .sequences = 4, .widest = 128});
    ASSERT_TRUE(small) << small.error().message;
    ASSERT_TRUE(large) << large.error().message;
    EXPECT_GT(small->compute_bytes, 0U);
    EXPECT_EQ(large->cache_bytes, 2 * small->cache_bytes);
    const auto header = gguf::read_header(whole_path);
    const auto row = static_cast<std::uint64_t>(header->kv_heads(0) * (header->key_length() + header->value_length()));
    EXPECT_EQ(small->cache_bytes, 2 * 512 * 3 * row * sizeof(std::uint16_t));
}

/// Members ask for stages with the context that they like.
TEST_F(split_test, AContextThatNobodyCanKeepIsRefusedBeforeItIsMeasured) {
    const auto path = slice({2, 5});
    const auto refused = measure_stage(path, {.context = 16 << 20, .sequences = 256, .widest = 128});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::load_failed);
    EXPECT_NE(refused.error().message.find("256 x 16777216"), std::string::npos) << refused.error().message;
    EXPECT_TRUE(measure_stage(path, {.context = 1 << 20, .sequences = 2, .widest = 128}));
}

}  // namespace starling::llama

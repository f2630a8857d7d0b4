// Engines with a draft model: what comes out is what comes out without one.
#include "changed_model.hpp"
#include "engine_fixture.hpp"

#include "llama/assemble.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace starling::llama {
namespace {

namespace fs = std::filesystem;

const std::string starter_path = STARLING_MODELS_DIR "/starter.gguf";
const std::string small_path = STARLING_MODELS_DIR "/starter-draft.gguf";
constexpr std::int32_t context = 512;
constexpr std::int32_t slots = 3;

/// All the layers in this process, and a pass takes as long as over distant machines: so drafting is worth while.
class distant_chain final : public stage_chain {
  public:
    distant_chain(std::unique_ptr<stage> only, std::chrono::milliseconds trip) : inner_(std::move(only)), trip_(trip) {}

    std::size_t depth() const override { return 1; }
    bool single_pass() const override { return false; }
    std::int32_t widest() const override { return inner_.widest(); }
    bool usable() const override { return true; }
    std::optional<error> ended() const override { return std::nullopt; }
    void submit(step step) override {
        std::map<sequence_id, std::size_t> brought;
        std::size_t outputs = 0;
        for (const step_token& token : step.tokens) {
            ++brought[token.sequence];
            outputs += token.output ? 1 : 0;
        }
        widest_output = std::max(widest_output, outputs);
        if (outputs > brought.size()) {
            EXPECT_LE(step.tokens.size(), static_cast<std::size_t>(max_verified_tokens));
            for (const auto& [sequence, tokens] : brought) {
                EXPECT_EQ(tokens, brought.begin()->second) << "a pass computes neighbours with equally many tokens";
                EXPECT_TRUE(brought.begin()->first == sequence || brought.contains(sequence - 1));
            }
            filled_gaps += has_filler(step) ? 1 : 0;
        }
        inner_.submit(std::move(step));
    }
    bool ready() const override { return inner_.ready(); }
    result<void> collect() override {
        std::this_thread::sleep_for(trip_);
        return inner_.collect();
    }
    result<std::vector<float>> collect_hidden() override { return inner_.collect_hidden(); }
    stage& last() override { return inner_.last(); }
    position lowest_position(sequence_id sequence, position length) const override {
        return inner_.lowest_position(sequence, length);
    }
    std::int32_t sliding_window() const override { return inner_.sliding_window(); }
    std::uint64_t sequence_bytes() const override { return inner_.sequence_bytes(); }
    void notify(std::function<void()> changed) override { inner_.notify(std::move(changed)); }
    void interrupt() override { inner_.interrupt(); }

    std::size_t widest_output = 0;  // rows of one step
    std::size_t filled_gaps = 0;    // drafted steps with a sequence that nobody reads

  private:
    static bool has_filler(const step& step) {
        std::map<sequence_id, bool> read;
        for (const step_token& token : step.tokens) {
            read[token.sequence] |= token.output;
        }
        return std::any_of(read.begin(), read.end(), [](const auto& one) { return !one.second; });
    }

    local_chain inner_;
    std::chrono::milliseconds trip_;
};

class draft_test : public engine_test {
  protected:
    static constexpr std::chrono::milliseconds far{12};

    std::shared_ptr<engine::generator> with(const fs::path& draft, std::chrono::milliseconds trip = far,
                                            const fs::path& path = starter_path) {
        const engine_options options{
            .id = "starter", .path = path, .draft = draft, .context = context, .slots = slots, .threads = 1};
        auto loaded = model::load(options, {}, {});
        EXPECT_TRUE(loaded);
        auto drafter = load_drafter(options, **loaded, {}, {});
        EXPECT_TRUE(drafter) << drafter.error().message;
        auto only = stage::create(
            *loaded, {.context = context, .sequences = slots, .threads = 1, .outputs = outputs_with(drafter->get())});
        EXPECT_TRUE(only);
        auto chain = std::make_unique<distant_chain>(std::move(*only), trip);
        chain_ = chain.get();
        return make_engine(*loaded, std::move(chain), options, {}, std::move(*drafter));
    }

    static std::shared_ptr<engine::generator> without() {
        engine_options options;
        options.context = context;
        options.slots = slots;
        return load(options);
    }

    /// A draft that is nearly always wrong.
    static const changed_model& wrong() {
        static const changed_model scrambled(small_path, "wrong-draft",
                                             [](std::string& bytes) { scramble_weights(bytes, small_path); });
        return scrambled;
    }

    static void expect_same(const gathered& got, const gathered& expected, const std::string& what) {
        ASSERT_FALSE(got.failure) << what << ": " << got.failure->message;
        EXPECT_EQ(got.tokens, expected.tokens) << what;
        EXPECT_EQ(got.content, expected.content) << what;
        ASSERT_TRUE(got.end && expected.end) << what;
        EXPECT_EQ(got.end->reason, expected.end->reason) << what;
        EXPECT_EQ(got.end->usage.completion_tokens, expected.end->usage.completion_tokens) << what;
        ASSERT_EQ(got.calls.size(), expected.calls.size()) << what;
        for (std::size_t i = 0; i < got.calls.size(); ++i) {
            EXPECT_EQ(got.calls[i].name, expected.calls[i].name) << what;
            EXPECT_EQ(got.calls[i].arguments, expected.calls[i].arguments) << what;
        }
        ASSERT_EQ(got.emitted.size(), expected.emitted.size()) << what;
        for (std::size_t i = 0; i < got.emitted.size(); ++i) {
            EXPECT_EQ(got.emitted[i].logprob, expected.emitted[i].logprob) << what << ", token " << i;
            ASSERT_EQ(got.emitted[i].alternatives.size(), expected.emitted[i].alternatives.size());
            for (std::size_t j = 0; j < got.emitted[i].alternatives.size(); ++j) {
                EXPECT_EQ(got.emitted[i].alternatives[j].id, expected.emitted[i].alternatives[j].id) << what;
                EXPECT_EQ(got.emitted[i].alternatives[j].logprob, expected.emitted[i].alternatives[j].logprob) << what;
            }
        }
    }

    /// One of each kind that the API can ask for.
    static std::vector<std::pair<std::string, engine::generate_request>> requests() {
        std::vector<std::pair<std::string, engine::generate_request>> out;
        out.emplace_back("a story", chat("Tell me a story about a lighthouse."));
        out.emplace_back("a short answer", chat("What is the capital of France?"));
        auto penalised = completion("Once upon a time there was a", 60);
        penalised.sampling.repeat_penalty = 1.2F;
        penalised.sampling.top_p = 0.9F;
        out.emplace_back("penalties", penalised);
        auto likely = chat("Tell me a story about a bird.");
        likely.logprobs = 3;
        out.emplace_back("logprobs", likely);
        auto stopped = completion("Once upon a time there was a", 60);
        stopped.stop = {" the ", "!"};
        out.emplace_back("stop strings", stopped);
        auto grammar = completion("Answer:", 30);
        grammar.grammar = R"(root ::= ("yes " | "no ")+)";
        out.emplace_back("a grammar", grammar);
        auto schema = chat("Give me a person as JSON.");
        auto& typed = std::get<engine::chat_prompt>(schema.prompt);
        typed.format = engine::output_format::json_schema;
        typed.json_schema =
            R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]})";
        out.emplace_back("a schema", schema);
        for (const auto choice : {engine::tool_choice::automatic, engine::tool_choice::required}) {
            auto tools = chat("What is the weather in Paris?");
            auto& prompt = std::get<engine::chat_prompt>(tools.prompt);
            prompt.tools.push_back(
                {.name = "get_weather",
                 .description = "Weather of a city",
                 .parameters = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"});
            prompt.tool_choice = choice;
            out.emplace_back("tools", tools);
        }
        auto two = completion("Count: 1 2 3", 2);
        out.emplace_back("two tokens", two);
        two.max_tokens = 1;
        out.emplace_back("one token", two);
        return out;
    }

    distant_chain* chain_ = nullptr;
};

TEST_F(draft_test, TheTextIsTheSame) {
    const auto reference = without();
    const auto same = with(starter_path);
    const auto small = with(small_path);
    const auto bad = with(wrong().path());
    for (const float temperature : {0.0F, 0.8F}) {
        for (auto [what, request] : requests()) {
            request.sampling.temperature = temperature;
            request.sampling.seed = 20261121;
            const auto expected = ask(*reference, request);
            what += " at temperature " + std::to_string(temperature);
            expect_same(ask(*same, request), expected, what + ", the model as its own draft");
            expect_same(ask(*small, request), expected, what + ", a small draft");
            expect_same(ask(*bad, request), expected, what + ", a wrong draft");
        }
    }
    // How many are tried follows from what is measured, so on a busy machine it is few; draft_policy_test has the rest.
    EXPECT_GT(same->load().draft_accepted, 20U);
    EXPECT_GT(small->load().draft_accepted, 5U);
    EXPECT_GT(small->load().draft_rejected, 2U);
    EXPECT_GT(bad->load().draft_rejected, 0U);
    EXPECT_LT(bad->load().draft_accepted, bad->load().draft_rejected);
}

TEST_F(draft_test, StreamsTogetherAreTheSameAsWithoutADraft) {
    const auto reference = without();
    const auto drafted = with(small_path, std::chrono::milliseconds(30));
    std::vector<engine::generate_request> together;
    std::vector<gathered> expected;
    for (std::uint64_t seed = 1; seed <= 7; ++seed) {  // as n asks for them, and more than there are slots
        auto request = completion("Once upon a time there was a", static_cast<std::int32_t>(20 + 15 * seed));
        request.sampling.temperature = seed % 2 == 0 ? 0.0F : 0.8F;
        request.sampling.seed = seed;
        expected.push_back(ask(*reference, request));
        together.push_back(std::move(request));
    }
    const auto got = ask_all(*drafted, together);
    for (std::size_t i = 0; i < got.size(); ++i) {
        expect_same(got[i], expected[i], "stream " + std::to_string(i));
    }
    EXPECT_GT(chain_->widest_output, static_cast<std::size_t>(slots));
    EXPECT_LE(chain_->widest_output, static_cast<std::size_t>(max_verified_tokens));
    EXPECT_GT(drafted->load().draft_accepted, 10U);
}

TEST_F(draft_test, AnIdleSlotBetweenStreamsBringsAsManyTokens) {
    const auto reference = without();
    const auto drafted = with(small_path, std::chrono::milliseconds(30));
    std::vector<engine::generate_request> together;
    std::vector<gathered> expected;
    for (const std::int32_t length : {120, 12, 110}) {
        auto request = completion("Once upon a time there was a", length);
        request.sampling.temperature = 0.8F;
        request.sampling.seed = static_cast<std::uint32_t>(length);
        expected.push_back(ask(*reference, request));
        together.push_back(std::move(request));
    }
    const auto got = ask_all(*drafted, together);
    for (std::size_t i = 0; i < got.size(); ++i) {
        expect_same(got[i], expected[i], "stream " + std::to_string(i));
    }
    EXPECT_GT(chain_->filled_gaps, 0U);
}

TEST_F(draft_test, AStreamIsContinuedAfterEveryToken) {
    auto request = completion("Once upon a time there was a", 24);
    request.sampling.temperature = 0.8F;
    request.sampling.seed = 5;
    const auto whole = ask(*without(), request);
    const auto drafted = with(small_path);
    for (std::size_t k = 1; k < whole.tokens.size(); ++k) {
        const auto begun = ask(*drafted, request, k);
        auto rest_request = request;
        rest_request.resume.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(k));
        const auto rest = ask(*drafted, rest_request);
        ASSERT_FALSE(rest.failure) << rest.failure->message;
        auto joined = begun.tokens;
        joined.resize(k);
        joined.insert(joined.end(), rest.tokens.begin(), rest.tokens.end());
        EXPECT_EQ(joined, whole.tokens) << k;
    }
}

TEST_F(draft_test, AMixtureOfExpertsSaysTheSame) {
    const fs::path experts = STARLING_MODELS_DIR "/starter-moe.gguf";
    const auto reference = with({}, std::chrono::milliseconds(0), experts);
    const auto drafted = with(small_path, far, experts);
    for (const float temperature : {0.0F, 0.8F}) {
        auto request = completion("Once upon a time there was a", 100);
        request.sampling.temperature = temperature;
        request.sampling.seed = 3;
        request.logprobs = 1;
        expect_same(ask(*drafted, request), ask(*reference, request), std::to_string(temperature));
    }
    EXPECT_GT(drafted->load().draft_accepted, 10U);
}

TEST_F(draft_test, WhatARequestLeavesBehindSpoilsNoOther) {
    const auto reference = without();
    const auto drafted = with(small_path);
    auto request = chat("Tell me a story about a fox.");
    for (const std::size_t stop_after : {3U, 9U, 20U}) {
        ask(*drafted, request, stop_after);  // cancelled, with proposals on their way
        for (const char* next : {"Tell me a story about a fox.", "Tell me a story about a bird.", "Hello!"}) {
            expect_same(ask(*drafted, chat(next)), ask(*reference, chat(next)), next);
        }
    }
}

TEST_F(draft_test, TheContextIsFilledToItsEnd) {
    auto request = completion("Once upon a time there was a", context);
    const auto expected = ask(*without(), request);
    ASSERT_EQ(expected.end->reason, engine::finish_reason::length);
    const auto drafted = with(starter_path);
    expect_same(ask(*drafted, request), expected, "a full context");
    EXPECT_GT(drafted->load().draft_accepted, 50U);
}

TEST_F(draft_test, AGoodDraftOverALongWayIsFaster) {
    constexpr std::chrono::milliseconds very_far{25};
    const auto request = completion("Once upon a time there was a", 100);
    const auto timed = [&](engine::generator& from) {
        ask(from, completion("A fox", 40));  // measures passes and drafts
        return ask(from, request).end->timing.decode_ms;
    };
    const auto drafted = with(starter_path, very_far);
    const auto plain = with({}, very_far);
    EXPECT_LT(timed(*drafted) * 1.5, timed(*plain));
}

TEST_F(draft_test, AWrongDraftIsHardlyUsed) {
    const auto drafted = with(wrong().path(), std::chrono::milliseconds(2));
    const auto answer = ask(*drafted, completion("Once upon a time there was a", 400));
    ASSERT_FALSE(answer.failure);
    EXPECT_LT(drafted->load().draft_rejected, 80U);
}

TEST_F(draft_test, ADraftThatDoesNotGoWithTheModelIsRefused) {
    engine_options options{.id = "starter", .path = starter_path, .draft = "/nowhere/small.gguf"};
    options.context = 128;
    options.slots = 1;
    options.threads = 1;
    const auto missing = load_engine(options);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nowhere/small.gguf"), std::string::npos) << missing.error().message;
    const changed_model other(small_path, "other-end", [](std::string& bytes) {
        const std::string key = "tokenizer.ggml.eos_token_id";
        const auto at = bytes.find(key);
        ASSERT_NE(at, std::string::npos);
        bytes[at + key.size() + 4] = static_cast<char>(bytes[at + key.size() + 4] ^ 1);
    });
    options.draft = other.path();
    const auto refused = load_engine(options);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::draft_unusable);
    options.draft = small_path;
    const auto loaded = load_engine(options);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_FALSE(ask(**loaded, chat("Hello!")).failure);
}

}  // namespace
}  // namespace starling::llama

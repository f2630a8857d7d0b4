#include "llama/drafter.hpp"
#include "changed_model.hpp"
#include "engine_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

namespace starling::llama {
namespace {

namespace fs = std::filesystem;
using tokens = std::vector<engine::token_id>;

class drafter_test : public engine_test {
  protected:
    static std::shared_ptr<const model> load_model(const fs::path& path) {
        const engine_options options{.id = path.stem().string(), .path = path};
        auto loaded = model::load(options, {}, {});
        EXPECT_TRUE(loaded) << loaded.error().message;
        return *loaded;
    }

    static std::shared_ptr<const model> starter() {
        static const auto loaded = load_model(STARLING_MODELS_DIR "/starter.gguf");
        return loaded;
    }

    static std::shared_ptr<const model> small() {
        static const auto loaded = load_model(STARLING_MODELS_DIR "/starter-draft.gguf");
        return loaded;
    }

    static std::unique_ptr<drafter> make(std::shared_ptr<const model> draft, std::int32_t slots = 3) {
        auto made = drafter::create(std::move(draft), *starter(), {.slots = slots, .context = 128, .threads = 1});
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }

    static tokens propose(drafter& from, sequence_id sequence, const tokens& known, std::int32_t count) {
        const std::vector<draft_request> one{{.sequence = sequence, .tokens = known, .count = count}};
        auto run = from.propose(one, 0.0);
        EXPECT_TRUE(run) << run.error().message;
        return run->proposals.front().tokens;
    }

    static tokens text(const std::string& words) { return starter()->tokenize(words, true, true); }

    /// Why a copy of the draft with this change is refused; empty when it is not.
    static std::string complaint(const std::function<void(std::string& bytes)>& change) {
        const changed_model copy(STARLING_MODELS_DIR "/starter-draft.gguf", "changed-draft", change);
        const auto made =
            drafter::create(load_model(copy.path()), *starter(), {.slots = 1, .context = 64, .threads = 1});
        EXPECT_TRUE(made || made.error() == errc::draft_unusable);
        return made ? std::string{} : made.error().message;
    }
};

TEST_F(drafter_test, AnotherVocabularyIsRefused) {
    EXPECT_EQ(complaint([](std::string&) {}), "");
    const std::string other_token = complaint([](std::string& bytes) {
        const auto at = bytes.find(std::string("\x04") + std::string(7, '\0') + "ould");
        ASSERT_NE(at, std::string::npos);
        bytes.replace(at + 8, 4, "oulQ");
    });
    EXPECT_NE(other_token.find("cannot draft for starter"), std::string::npos) << other_token;
    EXPECT_NE(other_token.find("oulQ"), std::string::npos) << other_token;
    const std::string other_end = complaint([](std::string& bytes) {
        const std::string key = "tokenizer.ggml.eos_token_id";
        const auto at = bytes.find(key);
        ASSERT_NE(at, std::string::npos);
        bytes[at + key.size() + 4] = static_cast<char>(bytes[at + key.size() + 4] ^ 1);  // behind the value's type
    });
    EXPECT_NE(other_end.find("end a text with different tokens"), std::string::npos) << other_end;
}

TEST_F(drafter_test, AModelThatDraftsForItselfIsRight) {
    const auto generator = load();
    const std::string prompt = "Once upon a time there was a";
    const auto answer = ask(*generator, completion(prompt, 30));
    ASSERT_EQ(answer.tokens.size(), 30U);
    const auto drafter = make(starter());
    tokens known = text(prompt);
    for (std::size_t at = 0; at < 30; at += 5) {
        const auto proposed = propose(*drafter, 0, known, 5);
        const tokens drawn(answer.tokens.begin() + static_cast<std::ptrdiff_t>(at),
                           answer.tokens.begin() + static_cast<std::ptrdiff_t>(at) + 5);
        EXPECT_EQ(proposed, drawn) << at;
        known.insert(known.end(), drawn.begin(), drawn.end());
    }
}

TEST_F(drafter_test, RejectedTokensLeaveNoTrace) {
    const auto drafter = make(small());
    const tokens known = text("Once upon a time there was a");
    const auto first = propose(*drafter, 1, known, 6);
    ASSERT_EQ(first.size(), 6U);
    for (const std::size_t accepted : {0U, 2U, 5U, 6U}) {
        tokens longer = known;
        longer.insert(longer.end(), first.begin(), first.begin() + static_cast<std::ptrdiff_t>(accepted));
        longer.push_back(77);
        EXPECT_EQ(propose(*drafter, 1, longer, 6), propose(*make(small()), 0, longer, 6)) << accepted;
        EXPECT_EQ(propose(*drafter, 1, known, 6), first);
    }
}

TEST_F(drafter_test, SlotsAreDraftedTogetherAsTheyWouldBeAlone) {
    const std::vector<tokens> known{text("Hello there"), text("My name is Ann and I like to read"), text("One two")};
    const auto together = make(small());
    std::vector<draft_request> requests;
    for (const sequence_id sequence : {2, 0, 1}) {
        requests.push_back(
            {.sequence = sequence, .tokens = known[static_cast<std::size_t>(sequence)], .count = 3 + sequence});
    }
    const auto run = together->propose(requests, 0.0);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->steps, 5);
    EXPECT_GT(run->steps_s, 0.0);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(run->proposals[i].sequence, requests[i].sequence);
        const auto alone = make(small());
        EXPECT_EQ(run->proposals[i].tokens,
                  propose(*alone, 0, known[static_cast<std::size_t>(requests[i].sequence)], requests[i].count));
    }
}

TEST_F(drafter_test, ManyUnknownTokensAreReadFirst) {
    const auto drafter = make(small());
    tokens known = text("word");
    propose(*drafter, 0, known, 1);
    while (known.size() < 80) {
        const tokens more = text(" This is a story about a lighthouse that stood on a rock far away from the town.");
        known.insert(known.end(), more.begin(), more.end());
    }
    const std::vector<draft_request> one{{.sequence = 0, .tokens = known, .count = 2}};
    const auto run = drafter->propose(one, 0.0);
    ASSERT_TRUE(run);
    EXPECT_GT(run->catch_up_s, 0.0);
    EXPECT_EQ(run->steps, 2);
    EXPECT_EQ(drafter->catch_up_s(0, known), 0.0);
    EXPECT_GT(drafter->catch_up_s(1, known), 0.0);
    drafter->forget(0);
    EXPECT_GT(drafter->catch_up_s(0, known), 0.0);
    EXPECT_EQ(propose(*drafter, 0, known, 2), run->proposals[0].tokens);
}

TEST_F(drafter_test, StopsWhereItIsUnsure) {
    const auto drafter = make(small());
    const tokens known = text("Once upon a time there was a");
    const std::vector<draft_request> one{{.sequence = 0, .tokens = known, .count = 12}};
    const auto never = drafter->propose(one, 1.01);
    ASSERT_TRUE(never);
    EXPECT_TRUE(never->proposals[0].tokens.empty());
    EXPECT_TRUE(never->proposals[0].stopped);
    EXPECT_EQ(never->steps, 1);
    const auto some = drafter->propose(one, 0.05);
    const auto all = drafter->propose(one, 0.0);
    ASSERT_TRUE(some && all);
    EXPECT_FALSE(all->proposals[0].stopped);
    EXPECT_LT(some->proposals[0].tokens.size(), all->proposals[0].tokens.size());
    EXPECT_TRUE(std::equal(some->proposals[0].tokens.begin(), some->proposals[0].tokens.end(),
                           all->proposals[0].tokens.begin()));
}

TEST_F(drafter_test, ProposesNothingBeyondItsContext) {
    const auto drafter = make(small());
    tokens known(126, 400);
    EXPECT_EQ(propose(*drafter, 0, known, 8).size(), 2U);
    known.resize(128, 400);
    EXPECT_TRUE(propose(*drafter, 0, known, 8).empty());
    known.resize(200, 400);
    EXPECT_TRUE(propose(*drafter, 0, known, 8).empty());
}

TEST_F(drafter_test, AnInterruptedDraftCanBeUsedNoMore) {
    const auto drafter = make(small());
    drafter->interrupt();
    const tokens known = text("Hello there, this is a text");
    const std::vector<draft_request> one{{.sequence = 0, .tokens = known, .count = 4}};
    EXPECT_FALSE(drafter->propose(one, 0.0));
}

}  // namespace
}  // namespace starling::llama

#include "llama/drafter.hpp"

#include "llama/prefix_policy.hpp"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace starling::llama {

namespace {

using steady_clock = std::chrono::steady_clock;

// Models of one family pad the same vocabulary to different sizes.
constexpr std::int32_t max_padding = 128;
// Reading fewer tokens than this says little about the speed, and is done with the first proposal.
constexpr std::int32_t short_catch_up = 2;
constexpr std::int32_t telling_catch_up = 16;
// Logits this far below the highest do not change a probability that anybody would act on.
constexpr float negligible = 16.0F;

double seconds_since(steady_clock::time_point began) {
    return std::chrono::duration<double>(steady_clock::now() - began).count();
}

result<void> same_vocabulary(const model& draft, const model& target) {
    const auto refuse = [&](std::string_view why) {
        return fail(errc::draft_unusable,
                    fmt::format("{} cannot draft for {}: {}", draft.info().id, target.info().id, why));
    };
    const llama_vocab* a = draft.vocab();
    const llama_vocab* b = target.vocab();
    if (llama_vocab_type(a) != llama_vocab_type(b)) {
        return refuse("their tokenizers are of different kinds");
    }
    const auto size = std::min(draft.vocabulary_size(), target.vocabulary_size());
    if (std::abs(draft.vocabulary_size() - target.vocabulary_size()) > max_padding) {
        return refuse(
            fmt::format("its vocabulary has {} tokens and not {}", draft.vocabulary_size(), target.vocabulary_size()));
    }
    if (llama_vocab_bos(a) != llama_vocab_bos(b) || llama_vocab_eos(a) != llama_vocab_eos(b)) {
        return refuse("they begin or end a text with different tokens");
    }
    for (engine::token_id token = 0; token < size; ++token) {
        const std::string_view ours = llama_vocab_get_text(a, token);
        const std::string_view theirs = llama_vocab_get_text(b, token);
        if (ours != theirs) {
            return refuse(fmt::format("token {} is \"{}\" to one and \"{}\" to the other", token, ours, theirs));
        }
    }
    return {};
}

struct guess {
    engine::token_id token = 0;
    double probability = 0.0;
};

/// `logits` are those of tokens that both models have.
guess most_likely(std::span<const float> logits) {
    const auto top = std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const float logit : logits) {
        if (logit > *top - negligible) {
            sum += std::exp(logit - *top);
        }
    }
    return {.token = static_cast<engine::token_id>(top - logits.begin()), .probability = 1.0 / std::max(sum, 1.0)};
}

}  // namespace

/// A request in work.
struct drafter::running {
    sequence_id sequence = 0;
    std::span<const engine::token_id> tokens;
    std::int32_t count = 0;
    draft_proposal* out = nullptr;
    double accepted = 1.0;  // probability that all the proposals are
};

result<std::unique_ptr<drafter>> drafter::create(std::shared_ptr<const model> draft, const model& target,
                                                 const drafter_options& options) {
    if (!draft->can_generate()) {
        return fail(errc::draft_unusable, fmt::format("{} cannot draft: it writes no text", draft->info().id));
    }
    if (!draft->can_truncate()) {
        return fail(
            errc::draft_unusable,
            fmt::format("{} cannot draft: its memory is a running state, from which tokens cannot be taken back",
                        draft->info().id));
    }
    if (auto same = same_vocabulary(*draft, target); !same) {
        return same.error();
    }
    const auto vocabulary = std::min(draft->vocabulary_size(), target.vocabulary_size());
    auto made = stage::create(std::move(draft),
                              {.context = options.context, .sequences = options.slots, .threads = options.threads});
    if (!made) {
        return made.error();
    }
    return std::unique_ptr<drafter>(new drafter(std::move(*made), options, vocabulary));
}

drafter::drafter(std::unique_ptr<stage> stage, const drafter_options& options, std::int32_t vocabulary)
    : stage_(std::move(stage)),
      context_(options.context),
      vocabulary_(vocabulary),
      cached_(static_cast<std::size_t>(options.slots)) {}

void drafter::forget(sequence_id sequence) {
    cached_.at(static_cast<std::size_t>(sequence)).clear();
    edits_.emplace_back(truncation{.sequence = sequence, .from = 0});
}

void drafter::forget_all() {
    edits_.clear();
    for (std::size_t sequence = 0; sequence < cached_.size(); ++sequence) {
        forget(static_cast<sequence_id>(sequence));
    }
}

/// Tokens that need not be read again. The last one always is: the first proposal is what follows it.
position drafter::usable(sequence_id sequence, std::span<const engine::token_id> tokens) const {
    const auto& cached = cached_.at(static_cast<std::size_t>(sequence));
    const position keep = std::min(common_prefix(cached, tokens), static_cast<position>(tokens.size()) - 1);
    const auto window = of().sliding_window();
    if (window > 0 && keep > 0 && stage_->lowest_position(sequence) > std::max(0, keep - window)) {
        return 0;
    }
    return keep;
}

/// What only the target has a token for cannot be read.
bool drafter::readable(std::span<const engine::token_id> tokens) const {
    return std::all_of(tokens.begin(), tokens.end(), [&](engine::token_id token) { return token < vocabulary_; });
}

double drafter::catch_up_s(sequence_id sequence, std::span<const engine::token_id> tokens) const {
    const auto unread = static_cast<position>(tokens.size()) - 1 - usable(sequence, tokens);
    return unread < short_catch_up ? 0.0 : unread * read_token_s_;
}

std::vector<drafter::running> drafter::begin(std::span<const draft_request> requests, draft_run& run) {
    std::vector<running> streams;
    run.proposals.resize(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const draft_request& request = requests[i];
        run.proposals[i].sequence = request.sequence;
        const auto room = context_ - static_cast<std::int32_t>(request.tokens.size());
        const std::int32_t count = std::min(request.count, room);
        if (count <= 0 || request.tokens.empty()) {
            continue;
        }
        const position keep = usable(request.sequence, request.tokens);
        auto& cached = cached_.at(static_cast<std::size_t>(request.sequence));
        if (!readable(request.tokens.subspan(static_cast<std::size_t>(keep)))) {
            continue;
        }
        if (keep < static_cast<position>(cached.size())) {
            edits_.emplace_back(truncation{.sequence = request.sequence, .from = keep});
            cached.resize(static_cast<std::size_t>(keep));
        }
        streams.push_back(
            {.sequence = request.sequence, .tokens = request.tokens, .count = count, .out = &run.proposals[i]});
    }
    std::sort(streams.begin(), streams.end(),
              [](const running& a, const running& b) { return a.sequence < b.sequence; });
    return streams;
}

/// Reads all but the last token, in steps as wide as the draft can take.
result<void> drafter::read(running& stream, std::int32_t& tokens_read) {
    auto& cached = cached_.at(static_cast<std::size_t>(stream.sequence));
    const auto widest = static_cast<std::size_t>(max_step_tokens(of()));
    const std::size_t end = stream.tokens.size() - 1;
    if (end - std::min(end, cached.size()) < static_cast<std::size_t>(short_catch_up)) {
        return {};
    }
    while (cached.size() < end) {
        step next{.edits = std::exchange(edits_, {}), .tokens = {}};
        for (std::size_t at = cached.size(); at < std::min(end, cached.size() + widest); ++at) {
            next.tokens.push_back({.token = stream.tokens[at],
                                   .at = static_cast<position>(at),
                                   .sequence = stream.sequence,
                                   .output = false});
        }
        if (auto done = stage_->run(next); !done) {
            return done;
        }
        for (const step_token& token : next.tokens) {
            cached.push_back(token.token);
        }
        tokens_read += static_cast<std::int32_t>(next.tokens.size());
    }
    return {};
}

result<void> drafter::catch_up(std::vector<running>& streams, draft_run& run) {
    const auto began = steady_clock::now();
    std::int32_t tokens_read = 0;
    for (running& stream : streams) {
        if (auto done = read(stream, tokens_read); !done) {
            return done;
        }
    }
    if (tokens_read > 0) {
        run.catch_up_s = seconds_since(began);
    }
    if (tokens_read >= telling_catch_up) {
        const double token_s = run.catch_up_s / tokens_read;
        read_token_s_ = read_token_s_ == 0.0 ? token_s : 0.7 * read_token_s_ + 0.3 * token_s;
    }
    return {};
}

/// One more token for every stream; false when the draft would rather not.
result<bool> drafter::propose_one(std::vector<running>& streams, double floor) {
    step next{.edits = std::exchange(edits_, {}), .tokens = {}};
    std::vector<std::int32_t> rows;
    for (const running& stream : streams) {
        auto& cached = cached_.at(static_cast<std::size_t>(stream.sequence));
        const auto append = [&](engine::token_id token) {
            next.tokens.push_back({.token = token,
                                   .at = static_cast<position>(cached.size()),
                                   .sequence = stream.sequence,
                                   .output = false});
            cached.push_back(token);
        };
        while (cached.size() < stream.tokens.size()) {
            append(stream.tokens[cached.size()]);
        }
        if (!stream.out->tokens.empty()) {
            append(stream.out->tokens.back());
        }
        next.tokens.back().output = true;
        rows.push_back(static_cast<std::int32_t>(next.tokens.size()) - 1);
    }
    if (auto done = stage_->run(next); !done) {
        return done.error();
    }
    std::vector<guess> guesses;
    double likely = 0.0;
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const float* logits = llama_get_logits_ith(stage_->context(), rows[i]);
        guesses.push_back(most_likely({logits, static_cast<std::size_t>(vocabulary_)}));
        streams[i].accepted *= guesses[i].probability;
        likely += streams[i].accepted;
    }
    if (likely < floor * static_cast<double>(streams.size())) {
        for (running& stream : streams) {
            stream.out->stopped = true;
        }
        return false;
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
        streams[i].out->tokens.push_back(guesses[i].token);
    }
    return true;
}

result<draft_run> drafter::propose(std::span<const draft_request> requests, double floor) {
    draft_run run;
    std::vector<running> streams = begin(requests, run);
    if (auto done = catch_up(streams, run); !done) {
        forget_all();
        return done.error();
    }
    const auto began = steady_clock::now();
    while (!streams.empty()) {
        const auto more = propose_one(streams, floor);
        if (!more) {
            forget_all();
            return more.error();
        }
        ++run.steps;
        if (!*more) {
            break;
        }
        std::erase_if(streams, [&](const running& stream) {
            const auto& proposed = stream.out->tokens;
            return static_cast<std::int32_t>(proposed.size()) >= stream.count || of().ends_answer(proposed.back());
        });
    }
    run.steps_s = seconds_since(began);
    return run;
}

}  // namespace starling::llama

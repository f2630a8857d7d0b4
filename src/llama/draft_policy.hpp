// How many tokens a draft model proposes before the next pass through the pipeline. A pure choice, but for what it
// remembers; the time that passes took comes in with learn(), no clock is read.
//
// A pass takes base + per_token × width, the draft one step for each token that it proposes. With acceptance a for each
// token, k proposed tokens yield (1 - a^(k+1)) / (1 - a) tokens in one pass (Leviathan et al., "Fast inference from
// transformers via speculative decoding", 2023). The k with the most tokens per second is taken for all streams of a
// step together: llama.cpp computes sequences in one pass only where they bring equally many tokens. Where none beats
// k = 0 nothing is drafted.
//
// Estimates can be wrong, so every try is paid from an account: it holds a few passes' time at first, grows by one
// hundredth of the time that goes by, and is charged what a drafted pass took longer than its tokens would have taken
// without the draft. Nothing is drafted while it is empty, so the loss is bounded whatever the estimates say.
#pragma once

#include "llama/step.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace starling::llama {

/// More than this is never proposed, whatever is asked for: steps stay narrow.
inline constexpr std::int32_t max_draft_tokens = 15;

/// Widest step that verifies proposals. Wider ones are rounded differently by llama.cpp (see resumed_step_tokens), and
/// the text has to be the same as without a draft.
inline constexpr std::int32_t max_verified_tokens = 32;

/// Share of proposed tokens that were accepted, newer trials counting more.
class acceptance_estimate {
  public:
    /// The prior is worth `prior_trials`; each trial counts as one in `memory` at least.
    acceptance_estimate(double prior, double prior_trials, double memory)
        : value_(prior), trials_(prior_trials), memory_(memory) {}

    void learn(bool accepted);
    double value() const { return value_; }

  private:
    double value_;
    double trials_;
    double memory_;
};

/// Seconds of a pass by the number of tokens in it: a straight line. Its slope is learnt from the differences between
/// one pass and the next, so that a link that becomes slower moves the line and does not turn it.
class pass_time {
  public:
    void learn(double width, double seconds);

    /// 0 before the first pass.
    double seconds(double width) const;

    /// While the slope is rough: as long as if every token cost as much as those of recent passes, if that is longer.
    double seconds_at_most(double width) const;

    double per_token() const { return slope_; }
    bool known() const { return known_; }

  private:
    bool known_ = false;
    double width_ = 0.0;  // of the last pass
    double seconds_ = 0.0;
    double squares_ = 0.0;  // of the differences of widths
    double products_ = 0.0;
    double slope_ = 0.0;
    double middle_width_ = 0.0;  // of recent passes
    double middle_seconds_ = 0.0;
};

struct draft_stream {
    sequence_id sequence = 0;
    std::int32_t limit = 0;  // tokens that may still be proposed before the answer or the context must end
};

/// The streams that are to get a token in the next pass together.
struct draft_step {
    std::span<const draft_stream> streams;
    std::int32_t fillers = 0;              // sequences between them that bring as many tokens, which nobody reads
    std::int32_t most = max_draft_tokens;  // each sequence has room for so many behind the token that it brings
    double catch_up_s = 0.0;  // what the draft would need first, to read what it has not seen of these streams
};

struct draft_choice {
    std::int32_t tokens = 0;  // for each stream whose limit allows it; 0: no draft
    bool probe = false;       // a try, for which no estimate speaks
    /// The draft need not go on once it thinks that its proposals so far are accepted with less than this probability,
    /// on the mean over the streams.
    double floor = 0.0;
};

/// What became of one stream's proposals.
struct draft_outcome {
    sequence_id sequence = 0;
    std::int32_t proposed = 0;
    std::int32_t accepted = 0;
    bool stopped = false;  // fewer were proposed than asked for, because of the floor
};

/// One pass that drew a token for every stream, drafted or not. Passes with prompts in them are not reported.
struct draft_report {
    std::span<const draft_outcome> streams;
    std::int32_t fillers = 0;
    std::int32_t width = 0;   // tokens in the step
    double pass_s = 0.0;      // from submitting the step to its outputs
    double catch_up_s = 0.0;  // the draft read what it had not seen yet
    double draft_s = 0.0;     // then it proposed
    std::int32_t draft_steps = 0;
    bool probe = false;  // as it was chosen
};

class draft_policy {
  public:
    /// `most`: tokens to propose at most, 0 to max_draft_tokens. `slots`: sequences are below this.
    draft_policy(std::int32_t most, std::int32_t slots);

    /// A new request has this sequence.
    void begin(sequence_id sequence);

    draft_choice choose(const draft_step& next);

    void learn(const draft_report& report);

    /// Of a pass whose time says nothing, because it had prompts in it too.
    void learn_acceptance(std::span<const draft_outcome> streams);

  private:
    struct yield {
        double tokens = 0.0;   // of all streams
        double seconds = 0.0;  // pass and draft
    };
    yield expect(const draft_step& next, std::int32_t k, std::optional<double> acceptance = {}) const;
    double gain(const draft_step& next, std::int32_t k) const;
    double undrafted_s(std::size_t sequences) const;
    std::int32_t best(const draft_step& next, std::int32_t most, std::optional<double> acceptance = {}) const;
    std::int32_t decide(const draft_step& next, std::int32_t most);
    std::int32_t probe(const draft_step& next, std::int32_t most) const;
    bool repays(const draft_step& next, double gained) const;
    double account_full_s(std::size_t sequences) const;
    void settle(const draft_report& report, double pass_s, bool drafted);
    double floor(const draft_step& next, std::int32_t k) const;

    std::int32_t most_;
    acceptance_estimate overall_;
    acceptance_estimate goes_on_;  // the draft does not stop because of the floor
    std::vector<acceptance_estimate> of_stream_;
    pass_time pass_;
    double undrafted_ratio_ = 1.0;  // undrafted passes to what the line says of them
    double draft_step_s_ = 0.0;
    double account_s_ = 0.0;
    bool opened_ = false;
    bool overdrawn_ = false;
    std::int32_t current_ = 0;
    std::int32_t undrafted_passes_ = 0;  // since the last drafted one
    std::int32_t drafted_passes_ = 0;    // since the last undrafted one
    std::int32_t compare_after_ = 0;     // drafted passes before one that is not
};

}  // namespace starling::llama

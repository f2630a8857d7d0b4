// Continuous batching: the loop that owns slots, KV cache and samplers, and drives the chain of stages. Each turn it
// takes what has come in, gives prompts to slots, shares steps among them (decode first, prompts in chunks) for as long
// as the chain takes more, finishes the oldest one, draws tokens and sends them.
//
// With a draft model, a step that decodes also carries the tokens that the draft proposes to come next
// (scheduler_draft). They are drawn one after the other like any others, and those that the draft has not foreseen end
// the row: what comes out is the same as without a draft.
//
// Where the stages of a split model are lost, the known tokens of every request are computed again as soon as there are
// new ones: its reader sees a pause.
//
// Thread: run() is the engine thread. load() may be called from any thread.
#pragma once

#include "base/rate_meter.hpp"
#include "llama/draft_policy.hpp"
#include "llama/drafter.hpp"
#include "llama/embedder.hpp"
#include "llama/slot.hpp"
#include "llama/stage_chain.hpp"
#include "llama/step_policy.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace starling::llama {

struct scheduler_options {
    std::int32_t slots = 1;
    std::int32_t context = 0;      // positions of each slot
    std::int32_t queue_limit = 0;  // reported in load()
};

class scheduler {
  public:
    /// `text`: the model whose tokens these are; its layers need not be loaded. `draft`: none when nothing is to be
    /// drafted; else the chain gives the outputs of max_verified_tokens in one step.
    scheduler(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain, std::shared_ptr<inbox> in,
              scheduler_options options, log_sink log, std::unique_ptr<drafter> draft = nullptr);

    /// Serves until the inbox is stopped, then ends every stream with errc::unavailable.
    void run();

    /// Makes a running step end early. Any thread.
    void interrupt();

    engine::engine_load load() const;

  private:
    struct output_row {
        sequence_id sequence = 0;
        std::uint64_t turn = 0;  // of the slot; another request may have taken its place since
        std::int32_t row = 0;
        std::vector<engine::token_id> drafted;  // in the rows behind it
    };
    /// What was done to find tokens for a step that decodes.
    struct draft_effort {
        std::int32_t fillers = 0;
        double catch_up_s = 0.0;
        double steps_s = 0.0;
        std::int32_t steps = 0;
        bool stopped = false;
        bool probe = false;
    };
    struct drafts {
        std::int32_t tokens = 0;                              // that each sequence of the step brings in addition
        std::vector<std::vector<engine::token_id>> of_share;  // so many or fewer; empty when there are none
        std::optional<draft_effort> effort;                   // none: the step does not decode, or nobody drafts
    };
    struct planned {
        step what;
        std::optional<draft_effort> effort;
    };
    /// A step on its way through the stages.
    struct flight {
        std::vector<output_row> rows;
        std::size_t tokens = 0;
        steady_clock::time_point began;
        std::optional<draft_effort> effort;
    };

    void receive(bool block);
    bool drop_abandoned();
    bool admit();
    void place(std::unique_ptr<generation> job, const placement& where);
    bool fill();
    void flush_held();
    std::vector<slot_demand> demands() const;
    std::vector<allotment> share(const std::vector<slot_demand>& demands);
    std::vector<sequence_id> fill_gaps(std::vector<allotment>& shares) const;
    planned plan_step();
    drafts propose(const std::vector<allotment>& shares);
    void bring(slot& slot, const allotment& share, std::span<const engine::token_id> drafted, std::int32_t width,
               step& into);
    void submit(planned next);
    bool collect();
    bool embed();
    result<engine::embedding_result> embed_through_stages(const embedding& job, sequence_id sequence);
    result<std::vector<float>> hidden_states(std::span<const engine::token_id> tokens, sequence_id sequence);
    draft_outcome draw_all(slot& slot, const output_row& output);
    engine::token_id draw(slot& slot, std::int32_t row);
    void learn_draft(const flight& done, double pass_s, std::vector<draft_outcome> outcomes);
    void finish(slot& slot, engine::finish_reason reason, engine::chunk last);
    void settle(slot& slot);
    void abandon(slot& slot, error why);
    void compute_again();
    void fail_all(const error& why);
    void fail_waiting(const error& why);
    void learn_prefill_speed(const flight& done);
    prefix_costs costs() const;
    void publish();

    std::shared_ptr<const model> text_;
    std::unique_ptr<stage_chain> chain_;
    std::shared_ptr<inbox> in_;
    scheduler_options options_;
    log_sink log_;
    std::vector<slot> slots_;
    std::deque<std::unique_ptr<generation>> waiting_;
    std::deque<std::unique_ptr<embedding>> to_embed_;
    std::deque<flight> flights_;
    steady_clock::time_point last_collected_;
    std::optional<embedder> embedder_;  // none: the layers are elsewhere
    step next_;                         // edits that the next step begins with
    std::uint64_t serial_ = 0;
    double prefill_tokens_per_s_ = 0.0;
    prefill_budget budget_;
    std::unique_ptr<drafter> drafter_;
    bool draft_failed_ = false;
    draft_policy draft_policy_;

    engine::engine_load counts_;
    mutable std::mutex published_mutex_;
    engine::engine_load published_;
    rate_meter published_rate_;
};

}  // namespace starling::llama

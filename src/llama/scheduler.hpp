// Continuous batching: the loop that owns slots, KV cache and samplers, and drives the chain of stages. Each turn it
// takes what has come in, gives prompts to slots, shares steps among them (decode first, prompts in chunks) for as long
// as the chain takes more, finishes the oldest one, draws tokens and sends them.
//
// Where the stages of a split model are lost, the known tokens of every request are computed again as soon as there are
// new ones: its reader sees a pause.
//
// Thread: run() is the engine thread. load() may be called from any thread.
#pragma once

#include "base/rate_meter.hpp"
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
    /// `text`: the model whose tokens these are; its layers need not be loaded.
    scheduler(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain, std::shared_ptr<inbox> in,
              scheduler_options options, log_sink log);

    /// Serves until the inbox is stopped, then ends every stream with errc::unavailable.
    void run();

    /// Makes a running step end early. Any thread.
    void interrupt() { chain_->interrupt(); }

    engine::engine_load load() const;

  private:
    struct output_row {
        sequence_id sequence = 0;
        std::uint64_t turn = 0;  // of the slot; another request may have taken its place since
        std::int32_t row = 0;
    };
    /// A step on its way through the stages.
    struct flight {
        std::vector<output_row> rows;
        std::size_t tokens = 0;
        steady_clock::time_point began;
    };

    void receive(bool block);
    bool drop_abandoned();
    bool admit();
    void place(std::unique_ptr<generation> job, const placement& where);
    bool fill();
    std::vector<slot_demand> demands() const;
    std::vector<allotment> share(const std::vector<slot_demand>& demands);
    std::vector<sequence_id> fill_gaps(std::vector<allotment>& shares) const;
    step plan_step();
    void submit(step next);
    bool collect();
    bool embed();
    result<engine::embedding_result> embed_through_stages(const embedding& job, sequence_id sequence);
    result<std::vector<float>> hidden_states(std::span<const engine::token_id> tokens, sequence_id sequence);
    void draw(slot& slot, std::int32_t row);
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

    engine::engine_load counts_;
    mutable std::mutex published_mutex_;
    engine::engine_load published_;
    rate_meter published_rate_;
};

}  // namespace starling::llama

// Continuous batching: the loop that owns slots, KV cache and samplers, and drives the chain of stages one step at a
// time. Each turn it takes what has come in, gives prompts to slots, shares a step among them (decode first, prompts in
// chunks), runs it, draws tokens and sends them.
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
#include <vector>

namespace starling::llama {

struct scheduler_options {
    std::int32_t slots = 1;
    std::int32_t context = 0;      // positions of each slot
    std::int32_t queue_limit = 0;  // reported in load()
};

class scheduler {
  public:
    scheduler(std::unique_ptr<stage_chain> chain, std::shared_ptr<inbox> in, scheduler_options options, log_sink log);

    /// Serves until the inbox is stopped, then ends every stream with errc::unavailable.
    void run();

    /// Makes a running step end early. Any thread.
    void interrupt() { chain_->last().interrupt(); }

    engine::engine_load load() const;

  private:
    void receive();
    void drop_abandoned();
    void admit();
    void place(std::unique_ptr<generation> job, const placement& where);
    step plan_step();
    void compute(step next);
    void draw(slot& slot, std::int32_t row);
    void finish(slot& slot, engine::finish_reason reason, engine::chunk last);
    void settle(slot& slot);
    void abandon(slot& slot, error why);
    void fail_all(const error& why);
    void learn_prefill_speed(std::size_t tokens, std::chrono::duration<double> took);
    prefix_costs costs() const;
    void publish();
    bool anything_running() const;

    std::unique_ptr<stage_chain> chain_;
    std::shared_ptr<inbox> in_;
    scheduler_options options_;
    log_sink log_;
    std::vector<slot> slots_;
    std::deque<std::unique_ptr<generation>> waiting_;
    embedder embedder_;
    step next_;  // edits that the next step begins with
    std::uint64_t serial_ = 0;
    double prefill_tokens_per_s_ = 0.0;
    prefill_budget budget_;

    engine::engine_load counts_;
    mutable std::mutex published_mutex_;
    engine::engine_load published_;
    rate_meter published_rate_;
};

}  // namespace starling::llama

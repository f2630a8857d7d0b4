// A place at the table: one sequence of the KV cache and the request that uses it. Engine thread only.
#pragma once

#include "llama/job.hpp"
#include "llama/prefix_policy.hpp"

#include <deque>
#include <optional>
#include <utility>

namespace starling::llama {

/// An answer that is continued has to go on as it would have gone on undisturbed. llama.cpp computes wide steps by
/// other kernels than narrow ones (attention from 64 tokens on), which round differently, and one draw in a few hundred
/// shows it. So tokens that were decoded elsewhere one by one are computed in steps that give the same bits.
inline constexpr std::int32_t resumed_step_tokens = 32;

class slot {
  public:
    explicit slot(sequence_id sequence) : sequence_(sequence) {}

    sequence_id sequence() const { return sequence_; }
    bool idle() const { return !work_; }
    generation& work() { return *work_; }
    const generation& work() const { return *work_; }

    /// Takes a request whose first `keep` tokens are in the cache already (after the edits of the next step).
    void start(std::unique_ptr<generation> work, position keep, std::uint64_t now_serial);

    /// Gives the request up; the cache stays for others to begin from.
    std::unique_ptr<generation> release(std::uint64_t now_serial);

    /// The cache is gone (its sequence must be cleared). A request that is under way computes again what is known.
    void forget();

    /// The same, with the stages that held it: the reader of an answer that has begun is told by the next chunk.
    void lose_stages();
    bool tells_loss() { return std::exchange(tells_loss_, false); }

    /// Which request of this slot it is; steps that were on their way when another took its place are told by it.
    std::uint64_t turn() const { return turn_; }

    const std::vector<engine::token_id>& cached() const { return cached_; }

    /// Tokens of the prompt that were not computed by this request.
    position reused() const { return reused_; }

    /// Tokens that are known and not yet in the cache: the rest of the prompt, or the one token drawn last.
    std::int32_t pending_tokens() const;
    /// Of them, the next ones that may be computed in one step: the rest of the prompt; then what was emitted
    /// elsewhere, a few at a time.
    std::int32_t pending_together() const;
    bool in_prefill() const { return pending_tokens() > 1 || !answering_; }

    /// Moves the next `count` known tokens into the cache; the caller has put them into a step.
    std::span<const engine::token_id> advance(std::int32_t count);

    /// Puts tokens that may turn out wrong into the cache, behind all that are known; the caller has put them into the
    /// same step. Nothing more is computed for the slot until cut_back().
    void try_out(std::span<const engine::token_id> tokens);

    /// Forgets what was tried out and is not known to be right, so that the token drawn last is pending again. Gives
    /// where the sequence has to be cut off; nothing when all of it was right.
    std::optional<position> cut_back();

    /// Records a token drawn for the answer.
    void append(engine::token_id token);

    /// The answer so far has this many tokens, those emitted elsewhere included.
    std::int32_t answer_tokens() const {
        return static_cast<std::int32_t>(work_->tokens.size()) - work_->prompt_tokens;
    }

    slot_view view(position lowest) const;

    /// Takes a chunk for the reader, which flush_held() or end() gives it: the next step goes first on its way.
    void send(engine::chunk chunk);
    /// Pauses the slot when there is no room.
    void flush_held();

    /// Ends the stream with `finished` or an error, behind what is still to be sent.
    void end(result<engine::stream_event> last);

    /// Tries again to send what had no room.
    void flush();

    /// Something waits for the reader: no more tokens are computed until it is gone.
    bool paused() const { return !held_ && !unsent_.empty(); }

    /// Its last event is known: nothing more is to be drawn.
    bool over() const { return ended_; }

    /// The last event was sent: the slot can be released.
    bool done() const { return ended_ && unsent_.empty(); }

    steady_clock::time_point started_at;
    steady_clock::time_point first_token_at;

  private:
    sequence_id sequence_;
    std::unique_ptr<generation> work_;
    std::vector<engine::token_id> cached_;
    position reused_ = 0;
    bool answering_ = false;
    bool tells_loss_ = false;
    std::uint64_t last_used_ = 0;
    std::uint64_t turn_ = 0;
    std::deque<std::optional<result<engine::stream_event>>> unsent_;  // none is empty; seldom more than one
    bool held_ = false;                                               // nothing of it was tried yet
    bool ended_ = false;
};

}  // namespace starling::llama

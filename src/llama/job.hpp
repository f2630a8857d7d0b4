// A request on its way through the engine, and the two places where threads meet: the inbox into the engine thread and
// the channel out of it.
#pragma once

#include "aio/call_context.hpp"
#include "aio/channel.hpp"
#include "llama/answer.hpp"
#include "llama/sampler.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace starling::llama {

using steady_clock = std::chrono::steady_clock;

/// Chunks that may wait for a slow reader before its slot pauses: a few seconds of a fast model.
inline constexpr std::size_t max_waiting_chunks = 256;

/// Shared by the engine thread, which writes, and the token_stream, which reads.
struct stream_link {
    explicit stream_link(boost::asio::any_io_executor reader) : events(std::move(reader), max_waiting_chunks) {}

    aio::channel<result<engine::stream_event>> events;
    std::atomic<bool> cancelled = false;  // the reader went away
    std::atomic<bool> paused = false;     // the engine waits for the reader to make room
};

/// A request that is ready for a slot. Owned by the inbox, then by the engine thread.
struct generation {
    std::vector<engine::token_id> tokens;  // the prompt, and behind it what was already emitted elsewhere
    std::int32_t prompt_tokens = 0;
    std::int32_t max_tokens = 0;  // of the whole answer
    std::optional<std::int32_t> logprobs;
    bool ignore_end = false;
    answer text;
    sampler draw;
    std::shared_ptr<stream_link> link;
    aio::call_context call;
    steady_clock::time_point queued_at;

    /// Set when the tokens to resume from are already the whole answer: there is nothing left to compute.
    std::optional<engine::finish_reason> complete;
};

/// Inputs to embed, as tokens.
struct embedding {
    std::vector<std::vector<engine::token_id>> inputs;
    std::shared_ptr<aio::channel<result<engine::embedding_result>>> reply;
};

/// Bounded queue into the engine thread. Any thread.
class inbox {
  public:
    explicit inbox(std::size_t limit) : limit_(limit) {}

    /// False when the queue is full or the engine stopped.
    bool push(std::unique_ptr<generation> job);
    bool push(std::unique_ptr<embedding> job);

    /// Makes a waiting engine look again: a reader went away or made room.
    void wake();

    /// Ends the engine thread's wait for good.
    void stop();
    bool stopped() const;

    /// Requests that the engine has not yet taken out.
    std::size_t queued() const;

    struct delivery {
        std::deque<std::unique_ptr<generation>> generations;
        std::deque<std::unique_ptr<embedding>> embeddings;
    };

    /// Engine thread. `waiting`: requests taken out earlier that still have no slot; they count against the limit.
    /// Blocks until there is something to do when `block`, but never beyond `patience`.
    delivery take(bool block, std::size_t waiting, std::chrono::milliseconds patience);

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    delivery incoming_;
    std::size_t limit_;
    std::size_t waiting_ = 0;
    bool woken_ = false;
    bool stopped_ = false;
};

}  // namespace starling::llama

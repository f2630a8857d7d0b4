// The thread of one loaded stage: takes decoded steps in order, computes each, and gives what is to be sent on. Network
// and engine meet in two bounded queues and nowhere else.
//
// Owner: stage_session, on the network executor, which alone calls it.
#pragma once

#include "aio/channel.hpp"
#include "pipeline/data_codec.hpp"
#include "pipeline/stage_engine.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace starling::pipeline {

/// Steps that one stage holds, computed or not: as many as a deep chain has in flight, and a sender that does not stop
/// there waits.
inline constexpr std::size_t held_steps = 16;

struct stage_done {
    step_number number = 0;
    bytes frame;  // for the next stage
};

class stage_worker {
  public:
    /// Begins by forgetting every sequence. `out` are the limits of the next stage.
    stage_worker(boost::asio::any_io_executor network, std::unique_ptr<stage_engine> engine, const data_limits& out);
    stage_worker(const stage_worker&) = delete;
    stage_worker& operator=(const stage_worker&) = delete;

    /// Interrupts what is computed, and waits for the thread.
    ~stage_worker();

    /// There may be held_steps between here and next(): the caller counts them.
    void push(data_frame frame);

    /// The next step that is done, in order; after an error there are no more. Nothing: stopped.
    awaitable<std::optional<result<stage_done>>> next();

    /// Ends the thread once the running step is computed, drops what waits, and gives the engine back, to be used
    /// again.
    awaitable<std::unique_ptr<stage_engine>> release();

    std::uint64_t steps() const { return steps_; }
    double ms_per_token() const { return ms_per_token_; }

  private:
    void run();
    std::optional<data_frame> take();
    result<stage_done> compute(data_frame frame);
    void learn(std::size_t tokens, std::chrono::duration<double, std::milli> took);
    void stop();

    std::unique_ptr<stage_engine> engine_;  // the thread's, until it has ended
    const data_limits out_;
    std::shared_ptr<aio::channel<result<stage_done>>> done_;
    std::shared_ptr<aio::channel<bool>> ended_;
    std::atomic<std::uint64_t> steps_ = 0;
    std::atomic<double> ms_per_token_ = 0.0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<data_frame> waiting_;  // guarded by mutex_
    bool stopped_ = false;            // guarded by mutex_

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace starling::pipeline

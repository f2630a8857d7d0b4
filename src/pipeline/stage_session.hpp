// One stage of one epoch at work: takes frames from the node before it, checks each, has it computed, and sends it on
// to the node behind it. It ends with a reason as soon as anything is wrong, and everything it had ends with it.
//
// Steps that wait are bounded by held_steps: beyond that nothing is read, and the sender feels it.
//
// Owner: stage_host. Thread: the network executor.
#pragma once

#include "aio/wake_up.hpp"
#include "pipeline/data_inlets.hpp"
#include "pipeline/data_stream.hpp"
#include "pipeline/stage_worker.hpp"

#include <memory>
#include <optional>

namespace starling::pipeline {

struct session_figures {
    std::uint64_t steps = 0;
    double ms_per_token = 0.0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
};

class stage_session {
  public:
    /// From now on the data stream of the stage before it is taken. `inlets` and `links` outlive it.
    stage_session(boost::asio::any_io_executor network, const stage_open& opened, std::unique_ptr<stage_engine> engine,
                  data_inlets& inlets, peer_links& links, std::chrono::milliseconds frame_time);
    stage_session(const stage_session&) = delete;
    stage_session& operator=(const stage_session&) = delete;

    /// Works until it ends, and says why: what broke the rules, who was lost, what could not be computed (about
    /// nobody: itself), or what end() was told.
    awaitable<stage_refused> run();

    void end(stage_refused why);

    /// After run(): the engine, ready for another session.
    awaitable<std::unique_ptr<stage_engine>> release() { return worker_.release(); }

    session_figures figures() const;

  private:
    result<void> take(const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on);
    awaitable<void> run_loops();
    awaitable<void> run_read_loop();
    awaitable<void> run_write_loop();
    awaitable<void> run_refusal_loop();
    awaitable<void> until_ended();

    const stage_open opened_;
    const data_limits in_;
    const std::chrono::milliseconds frame_time_;
    aio::wake_up changed_;
    std::unique_ptr<data_reader> reader_;
    data_writer writer_;
    step_number next_ = 0;
    std::size_t in_flight_ = 0;  // between the reader and the writer
    std::optional<stage_refused> ended_;
    stage_worker worker_;
    data_inlets::registration inlet_;
};

}  // namespace starling::pipeline

// The network's end of a chain in one epoch: sends steps to the first stage, takes activations from the last, listens
// to every stage, and finds out who is to blame when something is wrong. It ends with the first loss.
//
// Owner: chain_driver. Thread: the network executor.
#pragma once

#include "aio/task_scope.hpp"
#include "aio/wake_up.hpp"
#include "pipeline/remote_chain.hpp"

#include <deque>

namespace starling::pipeline {

class chain_wiring : public std::enable_shared_from_this<chain_wiring> {
  public:
    chain_wiring(boost::asio::any_io_executor network, chain_spec spec, std::vector<open_stage> stages,
                 std::shared_ptr<step_exchange> exchange, data_inlets& inlets, peer_links& links,
                 const chain_options& options, lost_hook on_lost);

    /// Starts the loops.
    void start();

    /// A step may have been submitted.
    void wake() { changed_.notify(); }

    /// Tells every stage that it is over, and ends.
    void close(const std::string& reason);

    /// Ends at once; the stages see their streams end.
    void cancel();

    /// Waits until nothing runs any more.
    awaitable<void> join() { return tasks_.join(); }
    bool running() const { return tasks_.running() != 0; }

    chain_figures figures() const;

  private:
    /// How much a report says about who is to blame: a neighbour that is gone may have gone because of another.
    enum class evidence { neighbour, own_words, silence };
    struct suspect {
        node_id node;
        error why;
        evidence by = evidence::neighbour;
    };
    struct sent_step {
        step_number number = 0;
        steady_time at;
    };

    result<void> take(const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on);
    awaitable<void> run_send_loop();
    awaitable<void> run_refusal_loop();
    awaitable<void> run_receive_loop();
    awaitable<void> run_control_loop(std::size_t index, std::shared_ptr<transport::message_stream> control);
    awaitable<void> run_stall_loop();
    awaitable<void> run_close(std::string reason);
    awaitable<void> settle();
    bool hear(std::size_t index, const std::string& message);
    void lose(suspect who);
    void measure(const data_frame& frame);
    const node_id& slowest_of(step_number step) const;

    boost::asio::any_io_executor network_;
    chain_spec spec_;
    std::vector<open_stage> stages_;  // their control streams belong to the loops that read them
    std::vector<std::weak_ptr<transport::message_stream>> controls_;
    std::shared_ptr<step_exchange> exchange_;
    chain_options options_;
    lost_hook on_lost_;
    data_limits out_;
    data_limits in_;
    data_writer writer_;
    std::unique_ptr<data_reader> reader_;
    std::deque<sent_step> sent_;
    steady_time last_headway_;
    std::optional<suspect> suspect_;
    bool closing_ = false;
    chain_figures figures_;
    aio::wake_up changed_;
    aio::task_scope tasks_;
    data_inlets::registration inlet_;
};

}  // namespace starling::pipeline

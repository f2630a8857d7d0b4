// This node's stages for others: answers `stage_open` from members, loads what it asks for, keeps the stage at work
// while the control stream lives, and releases it afterwards.
//
// A stage that ends through no fault of its own stays loaded for a while: a chain that is put together anew after a
// loss begins with it at once. It is given up for any other that is to be loaded.
//
// Owner: node. Thread: the network executor. Called by: peers, for each stream that begins with `stage_open`.
#pragma once

#include "aio/wake_up.hpp"
#include "pipeline/stage_session.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace starling::pipeline {

/// Finds the file by its content, cuts the layers out, and loads them. The implementation decides where the work is
/// done. Network executor.
class stage_loader {
  public:
    stage_loader() = default;
    stage_loader(const stage_loader&) = delete;
    stage_loader& operator=(const stage_loader&) = delete;
    virtual ~stage_loader() = default;

    /// `progress` takes a fraction in [0, 1], on the network executor, until the call ends. A cancellation gives the
    /// load up. Errors, with these codes, for the other side to read: no_model, no_memory, load_failed.
    virtual awaitable<result<std::unique_ptr<stage_engine>>> load(stage_open what,
                                                                  std::function<void(double)> progress) = 0;

    /// Unloading takes time too.
    virtual void discard(std::unique_ptr<stage_engine> engine) = 0;
};

/// Whether this coordinator may have a stage here: nothing, or why not and who has the lease.
using lease_check = std::function<std::optional<stage_refused>(const stage_open& asked)>;

struct host_options {
    node_id self;
    std::size_t max_stages = 4;                  // loading or at work at the same time
    std::chrono::milliseconds heartbeat{1'000};  // between messages to the coordinator
    std::chrono::milliseconds frame_time = default_frame_time;
    std::chrono::milliseconds keep_loaded{30'000};   // after its control stream has ended
    std::chrono::milliseconds handover_time{3'000};  // for an older epoch to leave; half of it for its last step
};

struct hosted_stage {
    stage_open opened;
    bool ready = false;
    double loaded = 0.0;  // fraction
    std::uint64_t memory_bytes = 0;
    session_figures figures;
};

class stage_host {
  public:
    /// What is referred to outlives the host, and the host outlives every serve().
    stage_host(boost::asio::any_io_executor network, host_options options, stage_loader& loader, lease_check may_open,
               data_inlets& inlets, peer_links& links);
    stage_host(const stage_host&) = delete;
    stage_host& operator=(const stage_host&) = delete;
    ~stage_host();

    /// Answers a stream that began with `stage_open`, for as long as the stage lives. Refusals that the other side is
    /// told: those of parsing; wrong_node (not this node, or not from the coordinator), stale_epoch, busy, those of the
    /// lease check and the loader, wrong_shape (the loader gave other layers); and later why the stage ended.
    awaitable<void> serve(transport::message_stream on, std::string first, node_id from);

    std::vector<hosted_stage> stages() const;

    /// Somebody else has the right to this stage now: it ends, and its coordinator is told.
    void supersede(deployment_id deployment);

    /// This node computes it no more, and keeps nothing of it; its coordinator is told why.
    void withdraw(deployment_id deployment, std::string why);

  private:
    struct hosted;
    struct kept;
    using entry = std::shared_ptr<hosted>;

    std::optional<stage_refused> check(const stage_open& asked, const node_id& from) const;
    awaitable<std::optional<std::uint64_t>> host(transport::message_stream on, stage_open asked);
    awaitable<std::optional<stage_refused>> take_over(stage_open asked);
    awaitable<std::optional<stage_refused>> obtain(transport::message_stream* on, entry stage);
    awaitable<void> load(entry stage);
    awaitable<void> load_and_report(transport::message_stream* on, entry stage);
    awaitable<void> run_progress_loop(transport::message_stream* on, entry stage);
    awaitable<std::optional<stage_refused>> work(transport::message_stream* on, entry stage);
    awaitable<void> run_session(entry stage);
    awaitable<void> run_heartbeat_loop(transport::message_stream* on, entry stage);
    awaitable<void> watch(transport::message_stream* on, entry stage);
    awaitable<void> read_control(transport::message_stream* on, entry stage);
    awaitable<void> until_superseded(entry stage);
    std::unique_ptr<stage_engine> take_kept(const stage_open& asked);
    void drop_kept(std::uint64_t serial);

    boost::asio::any_io_executor network_;
    host_options options_;
    stage_loader& loader_;
    lease_check may_open_;
    data_inlets& inlets_;
    peer_links& links_;
    std::map<deployment_id, entry> hosted_;
    std::list<kept> kept_;
    std::uint64_t next_serial_ = 0;
    aio::wake_up changed_;
};

}  // namespace starling::pipeline

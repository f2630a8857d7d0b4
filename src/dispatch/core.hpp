// What all requests of one dispatcher share: who serves, what was measured and is running, what was decided. Owner: the
// dispatcher and whatever of it is still alive. Thread: the network executor.
#pragma once

#include "dispatch/dispatch.hpp"
#include "dispatch/in_flight_table.hpp"
#include "dispatch/prefix_table.hpp"
#include "dispatch/speed_table.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace starling::dispatch {

/// One of our requests that runs on a worker.
class lease {
  public:
    lease(std::shared_ptr<core> of, node_and_model at);
    ~lease();
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;

  private:
    std::shared_ptr<core> of_;
    node_and_model at_;
};

/// A worker that was chosen: its place is taken as long as this lives.
struct candidate {
    worker by;
    std::string reason;
    std::int32_t beside = 0;  // streams that it has besides this one
    std::unique_ptr<lease> place;
};

struct core {
    core(boost::asio::any_io_executor network_, directory& workers_, options how_, std::uint64_t seed_,
         std::function<void(const decision&)> log_);

    /// Uniform in [0, 1).
    double draw();

    /// The worker as reported, with what is known here.
    route::worker_view view_of(const worker& one, const std::string& model);

    /// Streams that a worker has beside one of ours, as known now.
    std::int32_t beside(const node_and_model& at);

    void note(decision made);

    boost::asio::any_io_executor network;
    directory& workers;
    const options how;
    const std::function<void(const decision&)> log;

    in_flight_table in_flight;
    speed_table speeds;
    prefix_table prefixes;
    std::deque<decision> recent;
    counters count;

  private:
    const std::uint64_t seed_;
    std::uint64_t draws_ = 0;
};

}  // namespace starling::dispatch

// A chain whose last stage is here and whose others are on other nodes. It has two ends: `remote_chain` is the engine
// thread's, `chain_driver` the network's; between them lies a step_exchange.
//
// The chain is made once and lives as long as its engine. Its stages come and go: rewire() makes it usable with those
// of an epoch, a loss makes it unusable until the next, end() for good.
#pragma once

#include "llama/stage_chain.hpp"
#include "pipeline/assembly.hpp"
#include "pipeline/data_inlets.hpp"
#include "pipeline/final_stage.hpp"
#include "pipeline/step_exchange.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace starling::pipeline {

struct chain_options {
    std::chrono::milliseconds silence{2'500};     // a stage is heard every second: two messages were missed
    std::chrono::milliseconds step_time{60'000};  // for one stage to compute a step, or to pass it on
    std::chrono::milliseconds frame_time = default_frame_time;
    std::chrono::milliseconds gather_time{30};  // after a loss: whoever lost its neighbour tells, and the culprit too
};

struct stage_figures {
    node_id node;
    std::uint64_t steps = 0;    // in this epoch, as it said last
    double ms_per_token = 0.0;  // as it said last
    double ms_per_step = 0.0;   // from the frames, the last ten or so
    steady_time last_heard;
};

struct chain_figures {
    epoch_number epoch = 0;
    std::uint64_t steps = 0;  // came back, in all epochs
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
    double round_trip_ms = 0.0;  // of a step through all remote stages, the last ten or so
    double hop_ms = 0.0;         // of that, for each hop, what was not computing: the way, the protocol, and waiting
    std::vector<stage_figures> stages;
    double own_ms_per_token = 0.0;  // of the coordinator's own stage, lately
};

/// Who was lost, and why. Network executor; rewire() may be called from within.
using lost_hook = std::function<void(const node_id& node, const error& why)>;

/// What both ends know of the coordinator's own stage.
class last_stage_box;
class chain_wiring;

class chain_driver {
  public:
    /// `inlets` and `links` outlive it.
    chain_driver(boost::asio::any_io_executor network, data_inlets& inlets, peer_links& links, chain_options options,
                 lost_hook on_lost);
    chain_driver(const chain_driver&) = delete;
    chain_driver& operator=(const chain_driver&) = delete;
    ~chain_driver();

    /// The engine's end, once; it may outlive the driver, as a chain that has ended.
    std::unique_ptr<llama::stage_chain> make_chain(std::unique_ptr<final_stage> last);

    /// Makes the chain usable with these stages, opened for `spec` (assemble()). `last`: a coordinator's own stage of
    /// other layers; null keeps the one there is. What was wired before is released. `replaced`: told to the readers of
    /// answers that are under way; null: nobody is gone.
    void rewire(chain_spec spec, std::vector<open_stage> stages, std::unique_ptr<final_stage> last = {},
                std::shared_ptr<const engine::replacement> replaced = {});

    /// Lets the stages go; not usable until the next rewire().
    void release() { retire(); }

    /// Never usable again: the engine is told why, the stages that it is over.
    void end(error why);

    /// Ends, and waits until nothing runs any more.
    awaitable<void> stop();

    chain_figures figures() const;

  private:
    void retire();

    boost::asio::any_io_executor network_;
    data_inlets& inlets_;
    peer_links& links_;
    chain_options options_;
    lost_hook on_lost_;
    std::shared_ptr<step_exchange> exchange_;
    std::shared_ptr<last_stage_box> last_;
    std::shared_ptr<chain_wiring> wiring_;
    std::vector<std::shared_ptr<chain_wiring>> retired_;  // that still have tasks
    chain_figures before_;                                // sums of the epochs that are over
};

}  // namespace starling::pipeline

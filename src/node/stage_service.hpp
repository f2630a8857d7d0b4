// The parts of models that this node computes: for other members, and the last one of each model that it coordinates.
//
// Decides by lease who may have one (deployment::stage_lease), finds the file, cuts the layers out, and loads them.
// Owner: split_models. Thread: the network executor; files and loads have one of their own.
#pragma once

#include "deployment/stage_lease.hpp"
#include "node/split_parts.hpp"
#include "pipeline/data_inlets.hpp"
#include "pipeline/final_stage.hpp"
#include "pipeline/stage_host.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace starling::node {

/// Told when a claim that was granted is taken away.
using turned_away = std::function<void(const deployment::trouble& why)>;

class stage_service final : public pipeline::stage_loader, public pipeline::peer_links {
  public:
    explicit stage_service(const split_parts& with);

    /// A stream of a member that began with a message of pipeline.
    boost::asio::awaitable<void> serve(transport::message_stream on, std::string first, node_id from);

    pipeline::data_inlets& inlets() { return inlets_; }

    // The coordinator's own part, through the lease of its own node.
    result<deployment::stream_number> claim_own(const std::string& content, const deployment::claim& by,
                                                const deployment::assignment& what, turned_away on_lost,
                                                deployment::trouble* refused);
    void release_own(const std::string& content, deployment::stream_number stream);
    struct own_part {
        std::string content;
        gguf::layer_range layers;
        std::int32_t of_layers = 0;
        std::int32_t context = 0;
        std::int32_t slots = 0;
        std::int32_t outputs = 0;  // as in llama::stage_options
    };
    struct own_stage {
        std::unique_ptr<pipeline::final_stage> stage;
        std::uint64_t bytes = 0;
        std::shared_ptr<void> taken;  // counts against --memory for as long as it is kept
    };
    boost::asio::awaitable<result<own_stage>> load_last(own_part what);

    /// Bytes that a stage may still take here.
    std::uint64_t free_bytes() const;

    std::vector<pipeline::hosted_stage> stages() const { return host_.stages(); }

    /// That stages for others take.
    std::uint64_t held_bytes() const;

    /// The claim that has a stage of this model here.
    std::optional<deployment::claim> holder(const std::string& content) const;

    /// Models of which a stage is held here for somebody else.
    std::vector<std::string> held_for_others() const;

    /// No stage is given to anybody from now on.
    void leave();
    void tick();

    // pipeline::stage_loader
    boost::asio::awaitable<result<std::unique_ptr<pipeline::stage_engine>>> load(
        pipeline::stage_open what, std::function<void(double)> progress) override;
    void discard(std::unique_ptr<pipeline::stage_engine> engine) override;

    // pipeline::peer_links
    std::shared_ptr<transport::connection> find(const node_id& node) override;

  private:
    struct granted {
        deployment::stream_number stream = 0;
        bool own = false;
        turned_away on_lost;
    };
    struct leased {
        deployment::stage_lease lease;
        std::vector<granted> streams;
    };
    struct sized_stage {
        std::unique_ptr<llama::stage> stage;
        std::uint64_t bytes = 0;
    };
    /// As the network executor knew them when a load began; the load itself runs on another thread.
    struct room_rules {
        std::uint64_t limit_bytes = 0;  // --memory; 0: none
        std::uint64_t whole_models_bytes = 0;
    };
    struct load_order {
        own_part part;
        std::function<void(double)> progress;  // network executor
        std::shared_ptr<std::atomic<bool>> given_up;
    };

    std::optional<pipeline::stage_refused> objection(const pipeline::stage_open& asked, const node_id& from);
    std::optional<deployment::trouble> open(const std::string& content, deployment::stream_number stream,
                                            const deployment::claim& by, const deployment::assignment& what, bool own,
                                            turned_away on_lost);
    void close(const std::string& content, deployment::stream_number stream);
    std::optional<deployment::trouble> apply(leased& of, const deployment::lease::actions& list,
                                             std::optional<deployment::stream_number> asking);
    boost::asio::awaitable<result<sized_stage>> load_layers(load_order order);
    boost::asio::awaitable<void> load_on_thread(stage_file from, load_order order, room_rules rules,
                                                result<sized_stage>* outcome);
    boost::asio::awaitable<void> give_up_when_left(std::shared_ptr<std::atomic<bool>> flag);
    result<sized_stage> load_blocking(const stage_file& from, const load_order& order, room_rules rules) const;
    result<sized_stage> load_file(const std::filesystem::path& path, const load_order& order, room_rules rules) const;
    void release_unused();
    std::uint64_t room_now(room_rules rules) const;
    std::uint64_t free_of_system() const;

    const split_parts& with_;
    boost::asio::thread_pool loading_{1};
    pipeline::data_inlets inlets_;
    pipeline::stage_host host_;
    std::map<std::string, leased> leases_;
    deployment::stream_number next_stream_ = 0;
    std::shared_ptr<std::atomic<std::uint64_t>> taken_;  // by all layers that are loaded
    struct watched {
        std::uint64_t steps = 0;
        std::chrono::steady_clock::time_point worked;  // last
        std::chrono::steady_clock::time_point since;   // nothing is shared
    };
    std::map<pipeline::deployment_id, watched> watched_;  // stages for others, while nothing is shared
    std::uint64_t own_bytes_ = 0;                         // of them, by the last stages of models coordinated here
};

}  // namespace starling::node

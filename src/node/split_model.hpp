// One model that may be cut over several nodes, as this node takes part in it: carries out what the pure machine
// (deployment::candidate) decides. Plans, opens the stages, loads the own part, publishes the engine when all of it
// works, and mends it when something is lost.
//
// Owner: split_models. Thread: the network executor.
#pragma once

#include "aio/task_scope.hpp"
#include "aio/wake_up.hpp"
#include "deployment/claim_codec.hpp"
#include "deployment/deployment.hpp"
#include "llama/assemble.hpp"
#include "node/plan_inputs.hpp"
#include "node/split_shape.hpp"
#include "node/stage_service.hpp"
#include "pipeline/remote_chain.hpp"
#include "plan/plan.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace starling::node {

/// What is heard of it. Network executor.
struct split_observer {
    std::function<void(std::shared_ptr<engine::generator>, const std::string& content)> on_ready;
    std::function<void(const error& why)> on_down;  // not served by this node now; why, for a client
    std::function<void(float fraction)> on_progress;
    std::function<void()> on_decided;  // for the first time it is known who serves it, or that nobody can
};

struct split_setup {
    std::string content;
    deployment::want_record want;
    std::filesystem::path path;  // of the whole model
    std::string draft;           // path of a draft model; empty: none
};

class split_model {
  public:
    split_model(const split_parts& with, stage_service& stages, std::function<peers::node_offer()> offer,
                split_setup setup, split_observer observer);
    ~split_model();
    split_model(const split_model&) = delete;
    split_model& operator=(const split_model&) = delete;

    /// The model was named here.
    void start();
    /// This node holds a stage of it, and may take the coordinator's place.
    void inherit();

    void heard(const node_id& from, const deployment::announcement& what);
    void claim_gone(const node_id& from, deployment::parting how);
    /// Somebody came, went, or told something.
    void members_changed();
    /// Each of the others has told something by now.
    void everybody_heard();

    /// Hands over and waits until everything has ended.
    boost::asio::awaitable<void> stop();

    /// What this node tells the others of it.
    const std::optional<deployment::announcement>& told() const { return told_; }
    const split_setup& setup() const { return setup_; }
    bool may_claim() const { return candidate_.may_claim(); }
    const std::string& reason() const { return reason_; }
    pipeline::chain_figures figures() const;
    /// The last layers, where this node coordinates.
    std::optional<peers::told_stage> own_stage() const;

    /// Of the plan in force: what it takes on each node, and who computes what. Empty where there is none.
    taken_bytes taken() const { return stage_bytes_; }
    std::vector<plan::loaded_stage> loaded() const;

  private:
    /// One try to put the stages together.
    struct attempt {
        attempt(boost::asio::any_io_executor network, deployment::claim of) : by(of), closed(std::move(network)) {}
        deployment::claim by;
        pipeline::chain_spec spec;
        std::vector<pipeline::open_stage> opened;
        bool over = false;
        aio::wake_up closed;
    };

    struct loss {
        node_id node;
        std::string why;
    };

    // Carrying out what the candidate wants.
    void perform(const deployment::actions& list);
    void act(const deployment::announce& what);
    void act(const deployment::withdraw& what);
    void act(const deployment::make_plan& what);
    void act(const deployment::open_stages& what);
    void act(const deployment::load_last& what);
    void act(const deployment::close_stages& what);
    void act(const deployment::publish_route& what);
    void act(const deployment::withdraw_route& what);
    void act(const deployment::stand_down& what);

    boost::asio::awaitable<void> run_clock();
    boost::asio::awaitable<void> run_plan(deployment::make_plan what);
    boost::asio::awaitable<result<plan::placement>> plan_on_thread(plan_inputs from, plan::wish what);
    boost::asio::awaitable<void> run_assembly(std::shared_ptr<attempt> of);
    boost::asio::awaitable<void> assemble(std::shared_ptr<attempt> of, pipeline::assembled* into);
    boost::asio::awaitable<void> until_over(std::shared_ptr<attempt> of);
    boost::asio::awaitable<void> run_load_last(deployment::load_last what);
    boost::asio::awaitable<result<std::shared_ptr<engine::generator>>> load_whole();
    boost::asio::awaitable<result<void>> load_text();
    boost::asio::awaitable<void> clear_ended();

    plan::wish wish(const std::vector<node_id>& avoid) const;
    llama::engine_options engine_options() const;
    void make_engine(std::unique_ptr<pipeline::final_stage> last);
    void on_lost(deployment::epoch_number epoch, const node_id& node, const error& why);
    std::shared_ptr<const engine::replacement> replaced_by(const deployment::plan& next) const;
    void end_engine(error why);
    void end_attempt();
    void decided();
    void failed(const node_id& node, deployment::epoch_number epoch, const deployment::trouble& why);
    static deployment::time_point now() { return std::chrono::steady_clock::now(); }

    const split_parts& with_;
    stage_service& stages_;
    std::function<peers::node_offer()> offer_;
    split_setup setup_;
    split_observer observer_;
    deployment::candidate candidate_;
    aio::wake_up clock_;

    std::optional<deployment::announcement> told_;
    std::string reason_;  // of the plan, for people
    std::optional<measured_shape> shape_;
    std::shared_ptr<attempt> attempt_;

    // The own part.
    std::optional<deployment::stream_number> own_lease_;
    gguf::layer_range own_layers_;                      // loaded; none: empty
    std::unique_ptr<pipeline::final_stage> next_last_;  // loaded, not yet in the chain
    std::shared_ptr<void> own_taken_;
    std::uint64_t own_bytes_ = 0;
    std::shared_ptr<engine::generator> whole_;  // loaded, where the plan is one machine

    // What serves.
    std::shared_ptr<const llama::model> text_;
    std::unique_ptr<llama::drafter> draft_;  // until the engine has it
    std::int32_t outputs_ = 0;               // of the last stage, with the draft
    std::shared_ptr<pipeline::chain_driver> chain_;
    std::vector<std::shared_ptr<pipeline::chain_driver>> ended_;  // that still have to be waited for
    std::shared_ptr<engine::generator> engine_;
    deployment::epoch_number wired_epoch_ = 0;
    deployment::plan wired_;    // of that epoch, or the last one that the engine had
    std::optional<loss> loss_;  // the last one in it
    taken_bytes stage_bytes_;
    bool decided_ = false;
    bool stopping_ = false;

    boost::asio::thread_pool planning_{1};
    aio::task_scope tasks_;
};

}  // namespace starling::node

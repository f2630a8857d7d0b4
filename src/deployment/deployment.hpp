// Who coordinates a model that is cut over several nodes. Pure: (state, event, now, dice) → actions. One candidate per
// model on each node that may coordinate it: those where it was named, and those that hold a stage of it, which can
// take the coordinator's place. The other half is stage_lease.hpp. Many of both run in tests/sim. Owner thread: whoever
// drives it. Called by: the driver of deployments.
//
// How it goes. A candidate listens for a moment, claims the model with a term above all it has heard of, plans, opens
// the stages, and publishes the route when all of them, its own last one included, are ready. What it claims is in its
// status, which every member hears. Of two claims the smaller stands down wherever the greater is heard, and stages
// side with the greater too, so two coordinators never hold half each. Nobody waits for anything while holding
// something: when a stage refuses, all of them are closed, and after a random pause that grows there is a new plan of
// fresh numbers. A later attempt under the same claim has a higher epoch; answers of earlier ones are ignored.
//
// When a coordinator's claim is gone, those that held its stages claim in the order of the layers, staggered, then
// those that want the model; whoever hears an earlier one watches. When a model cannot be placed, the coordinator is
// starved: it holds nothing, says why, and plans again when members change. Those who watch it try a plan of their own
// now and then, since it may be the coordinator that is full. A starved coordinator gives way to anyone who serves, and
// one that serves never gives way to a starved one. What has served until just now is given some more plans before it
// counts as starved: when a machine goes, others look as if they had gone too until they are asked.
//
// A greater claim that is known only from a stage's refusal may be of a coordinator that cannot be heard from here. As
// long as it is connected to that stage, we come back with the term we have, so as to ask and not to take: two that do
// not hear each other would otherwise outbid each other for ever. Only a claim that is heard to be gone, or whose
// holder is no longer connected, is outbid.
//
// What a lying member achieves: with a credible term (term_clock.hpp) it coordinates the model, as every member may,
// and can then do nothing; with an absurd one, it is not heard. Revoking it ends that.
#pragma once

#include "deployment/limits.hpp"
#include "deployment/term_clock.hpp"
#include "deployment/types.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace starling::deployment {

using plan_ticket = std::uint64_t;

/// To be part of this node's status for this model, from now on.
struct announce {
    announcement what;
};

/// No longer part of the status.
struct withdraw {};

/// Ask the planner, with this node as the coordinator; answer with plan_made(). `avoid` is not to be used.
struct make_plan {
    plan_ticket ticket = 0;
    std::vector<node_id> avoid;
};

/// A control stream to each; answer with stage_ready() or stage_failed() for each.
struct open_stages {
    claim by;
    std::vector<stage> stages;
};

/// The coordinator's own part, through the lease of its own node; answered like any other stage.
struct load_last {
    claim by;
    layer_range layers;
};

/// Close every control stream of that epoch, the one to our own lease included. No answer is expected.
struct close_stages {
    epoch_number epoch = 0;
};

struct publish_route {
    claim by;
    plan stages;
};

/// Streams that live are resumed elsewhere, or end with an error where nobody else serves.
struct withdraw_route {};

/// For those who resume: this is who coordinates now. Follows on withdraw_route where one was published.
struct stand_down {
    claim to;
};

using action = std::variant<announce, withdraw, make_plan, open_stages, load_last, close_stages, publish_route,
                            withdraw_route, stand_down>;
using actions = std::vector<action>;

struct plan_answer {
    plan stages;         // empty: there is none
    std::string reason;  // then why, for people
};

enum class candidate_state : std::uint8_t {
    idle,       // nothing to do with this model
    watching,   // another coordinates
    waiting,    // will claim
    forming,    // has claimed; plans, or waits for stages
    serving,    // route published
    repairing,  // as forming, after having served
    starved,    // has claimed and cannot place the model
    stopped,
};

const char* to_string(candidate_state state);

/// How to stop.
enum class farewell : std::uint8_t {
    hand_over,  // this node goes, the model is still wanted
    retire,     // the model is no longer wanted here, and nobody is to take our place
};

/// How a claim of another went.
enum class parting : std::uint8_t {
    withdrawn,  // by itself: most likely it gave way to somebody whom we shall hear of
    dead,       // with its node
};

struct setup {
    node_id self;
    want_record want;
    std::uint64_t seed = 0;  // unpredictable
};

class candidate {
  public:
    explicit candidate(setup s);

    // --- inputs; each returns what is to be done, in order ---

    /// The model was named on this node. To be called when the node has met its mesh, or has found that it is alone:
    /// whoever claims before it hears of others disturbs them when it does.
    actions start(time_point now);

    /// Every member that is here has told its status since start(), and there are some: nobody is left who could have
    /// been earlier. What is not called only costs time.
    actions everybody_heard(time_point now);

    /// A stage of it is held here, so this node may take the coordinator's place.
    actions inherit(time_point now);

    /// In the status of a member. Every status again, or only when it differs from the last: both are right.
    actions heard(const node_id& from, const announcement& what, time_point now);

    /// The status of `from` no longer has a claim, or membership says that the node is dead or left. A connection that
    /// broke is no reason: its claim stays until membership has decided.
    actions claim_gone(const node_id& from, parting how, time_point now);

    /// The members that can hold a stage; this node may be among them or not. `version` changes whenever a plan may
    /// come out differently: members, their memory, their files.
    actions members(std::vector<node_id> usable, std::uint64_t version, time_point now);

    /// The driver has seen that a deployment that serves would be worth moving. Ignored more often than improve_pace.
    actions replan_is_better(time_point now);

    actions plan_made(plan_ticket ticket, plan_answer answer, time_point now);

    actions stage_ready(const node_id& node, epoch_number epoch, time_point now);

    /// Refused, or lost later; also this node's own last stage.
    actions stage_failed(const node_id& node, epoch_number epoch, const trouble& why, time_point now);

    actions tick(time_point now);

    /// When it is over, state() is stopped, at the latest hand_over_wait later; until then inputs go on as before.
    actions stop(farewell how, time_point now);

    // --- the view ---

    /// After every input this may have become earlier.
    time_point next_tick() const { return std::min(wake_, hear_again_); }
    candidate_state state() const { return state_; }
    /// Ours; nothing while we hold none.
    std::optional<claim> own_claim() const { return holding() ? std::optional(own_) : std::nullopt; }
    /// The greatest live claim of others.
    const announcement* watched() const;
    /// False: the driver may forget this candidate.
    bool may_claim() const { return wanted_ || heir_; }
    const plan& stages() const { return plan_; }
    const want_record& want() const { return want_; }
    const std::string& reason() const { return reason_; }  // of being starved, or of the last failure

  private:
    struct rival {
        node_id node;
        announcement said;
        bool counts = true;  // its term is credible
    };
    struct avoided {
        node_id node;
        time_point until;
        bool strictly = false;  // otherwise it is used where there is no plan without it
    };

    // candidate.cpp: inputs, timers
    bool holding() const;
    void begin(time_point now);
    actions finish();
    void sleep_until(time_point at) { wake_ = at; }
    void plan_soon();
    double fraction();
    duration spread(duration most);
    duration backoff();
    void note_failure();

    // candidate_claim.cpp: rivals, claiming, standing down
    rival* find_rival(const node_id& node);
    const rival* leader() const;
    void remember(rival heard);
    void hear_again();
    void reconsider(duration listen = {});
    bool must_yield_to(const rival& other) const;
    void watch(const rival& other);
    void succeed(duration listen);
    duration time_in_line();
    void wait(duration time);
    void claim_model();
    void tell(announced_state state);
    void release();
    void give_up_claim();
    void halt();

    // candidate_stages.cpp: plans and stages
    void request_plan();
    void use_plan(plan_answer answer);
    bool makes_sense(const plan& p) const;
    void open(plan p);
    void try_again(duration pause);
    void starve(std::string reason);
    void plan_again_if_outdated();
    void avoid(const node_id& node, duration time, bool strictly);
    std::vector<node_id> avoided_now() const;
    bool forgive();
    void fail_stage(const node_id& node, const trouble& why);
    void outbid(const node_id& node, const trouble& why);
    void fail_silent_stages();

    node_id self_;
    want_record want_;
    std::uint64_t seed_;
    std::uint64_t draws_ = 0;

    candidate_state state_ = candidate_state::idle;
    bool wanted_ = false;  // named here
    bool heir_ = false;    // held a stage
    std::optional<farewell> farewell_;

    // what is known of others
    term_clock terms_;
    std::vector<rival> rivals_;
    std::optional<announcement> followed_;  // the last that was watched: its stages say who comes next
    std::vector<node_id> members_;
    std::uint64_t version_ = 0;
    std::vector<avoided> avoided_;

    bool listening_ = false;  // since start(), for those who were earlier

    // the claim
    claim own_;               // the last one, held or not
    bool keep_term_ = false;  // a greater one is connected somewhere: ask again, do not outbid
    plan plan_;
    std::vector<bool> ready_;  // as plan_
    bool opened_ = false;
    bool published_ = false;
    bool served_ = false;  // under this claim
    int failures_ = 0;
    int memory_refusals_ = 0;
    std::string reason_;
    time_point serving_since_;
    time_point patient_until_;  // something that served is being mended, or begins: no plan yet does not mean never

    // planning
    plan_ticket ticket_ = 0;
    bool planning_ = false;
    time_point last_plan_;
    int fruitless_plans_ = 0;  // in a row
    std::uint64_t planned_version_ = 0;

    // of the call in progress
    time_point now_;
    actions actions_;

    time_point hear_again_ = time_point::max();  // whom we did not believe
    time_point wake_ = time_point::max();        // what for, the state says
};

}  // namespace starling::deployment

// Nodes that deploy models together, in virtual time: candidates, leases, streams, statuses and memory, with an
// observer who sees everything. All chance comes from one seed.
//
// What is assumed of the layers below: members hear each other's status within half a second of a change, and again
// every two seconds, since each may be lost; streams are in order, and broken ones are noticed within three seconds;
// membership notices a death within six and a return within two.
#pragma once

#include "base/random.hpp"
#include "deployment/deployment.hpp"
#include "deployment/stage_lease.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace starling::sim {

using deployment::duration;
using deployment::time_point;
using endpoint = std::size_t;
using model = std::size_t;

struct deployment_options {
    std::uint64_t seed = 1;
    std::vector<std::uint32_t> layers = {12};  // of each model; a layer takes one unit of memory
    double loss = 0.1;                         // of statuses
    double broken_loads = 0.02;
    duration longest_load = std::chrono::seconds(20);
};

class deployment_mesh {
  public:
    explicit deployment_mesh(deployment_options options);
    deployment_mesh(const deployment_mesh&) = delete;
    deployment_mesh& operator=(const deployment_mesh&) = delete;

    endpoint add(std::uint32_t memory);
    /// As if in its command line: also after a restart.
    void name(endpoint who, model m);
    void take_file(endpoint who, model m) { nodes_[who].without_file.insert(m); }

    void crash(endpoint who);
    void restart(endpoint who);
    void leave(endpoint who);
    /// Nodes of different groups do not reach each other.
    void part(const std::vector<int>& groups);
    void cut(endpoint a, endpoint b);
    void heal();
    /// Only the cuts between two nodes: what is parted stays parted.
    void heal_cuts();
    /// Says so in its status, until it restarts, whatever its own candidate says.
    void lie(endpoint who, model m, std::optional<deployment::announcement> what);

    void run_for(duration time);
    std::optional<duration> run_until(const std::function<bool()>& done, duration patience);
    double fraction() { return uniform_draw(options_.seed, draws_++); }
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(fraction() * static_cast<double>(count)); }
    time_point now() const { return now_; }

    // --- what an observer sees ---
    std::size_t size() const { return nodes_.size(); }
    std::size_t model_count() const { return options_.layers.size(); }
    bool is_up(endpoint who) const { return nodes_[who].up; }
    node_id id_of(endpoint who) const { return nodes_[who].id; }
    const deployment::candidate* candidate_at(endpoint who, model m) const;
    std::optional<deployment::claim> published(endpoint who, model m) const;
    std::vector<endpoint> publishers(model m) const;
    std::vector<std::tuple<endpoint, model, deployment::claim>> routes() const;

    /// Empty when at rest: each model in each component is served once and completely, or fits nowhere and is starved.
    std::string unrest() const;
    /// Rules that were broken at any time.
    const std::vector<std::string>& violations() const { return violations_; }
    /// Of what a node did last, for a failure's message.
    std::string story() const;

    std::uint64_t opens = 0;
    std::uint64_t publications = 0;
    std::uint64_t stand_downs = 0;
    std::size_t most_opens_in_a_minute = 0;  // by one candidate

  private:
    struct status {
        std::map<model, deployment::announcement> told;
        std::vector<std::uint32_t> free;  // for each model
        bool leaving = false;
    };
    struct view {
        bool alive = false;
        std::optional<status> last;
        time_point last_delivery{};
    };
    struct resident {
        deployment::load_ticket ticket = 0;
        deployment::layer_range layers;
        bool loaded = false;
    };
    struct node {
        node_id id;
        std::uint32_t memory = 0;
        bool up = false;
        bool leaving = false;
        bool tell_planned = false;
        std::uint64_t life = 0;
        int group = 0;
        std::uint64_t version = 0;
        std::set<model> named;
        std::set<model> without_file;
        std::map<model, std::unique_ptr<deployment::candidate>> candidates;
        std::map<model, deployment::stage_lease> leases;
        std::map<model, resident> memory_of;
        std::map<model, deployment::announcement> told;
        std::map<model, deployment::announcement> lies;
        std::map<model, deployment::claim> routes;
        std::map<endpoint, view> views;
        time_point next_wake = time_point::max();
    };
    struct stream {
        model what = 0;
        deployment::claim by;
        deployment::assignment asked;
        endpoint from = 0;
        endpoint to = 0;
        std::uint64_t from_life = 0;
        std::uint64_t to_life = 0;
        bool open_here = true;    // at the coordinator
        bool open_there = false;  // at the stage
        bool dead = false;        // the way broke; each side notices in its time
        bool granted = false;     // observer: said to be ready, and not turned away
        time_point last_there{};
        time_point last_here{};
    };
    struct event {
        time_point at;
        std::uint64_t order = 0;
        std::function<void()> run;

        bool operator<(const event& other) const { return at != other.at ? at > other.at : order > other.order; }
    };

    // time and chance
    void after(duration delay, std::function<void()> run);
    duration between(duration least, duration most);
    void wake(endpoint who);
    void wake_later(endpoint who);
    void note(endpoint who, model m, std::string what);
    void violate(const std::string& what);

    // membership and statuses
    bool linked(endpoint a, endpoint b) const;
    void topology_changed(const std::function<void()>& change);
    void see(endpoint who, endpoint other, bool alive);
    void tell_soon(endpoint who);
    void tell_loop(endpoint who, std::uint64_t life);
    void tell(endpoint who);
    void hear(endpoint who, endpoint from, const status& what);
    void members_changed(endpoint who);
    std::vector<node_id> usable(endpoint who) const;
    deployment::candidate& candidate_of(endpoint who, model m);
    endpoint endpoint_of(const node_id& id) const { return by_id_.at(id); }

    // candidates
    void carry_out(endpoint who, model m, deployment::actions todo);
    void answer_plan(endpoint who, model m, const deployment::make_plan& ask);
    deployment::plan_answer make_plan(endpoint who, model m, const std::map<endpoint, std::uint32_t>& free) const;
    void open(endpoint who, model m, const deployment::claim& by, const deployment::stage& where);
    void close(endpoint who, model m, deployment::epoch_number epoch);
    void count_open(endpoint who, model m);

    // stages
    std::uint32_t free_for(endpoint who, model m) const;
    std::uint32_t used(endpoint who) const;
    void carry_out(endpoint who, model m, deployment::lease::actions todo);
    void load(endpoint who, model m, const deployment::lease::load& what);
    void there(deployment::stream_number s, std::function<void()> run);
    void here(deployment::stream_number s, std::function<void()> run);
    void broken(deployment::stream_number s);
    void check_grant(endpoint who, model m, deployment::stream_number s);
    void finish_leaving(endpoint who, std::uint64_t life, int left);

    // observer
    std::string unrest_of(model m, const std::vector<endpoint>& component) const;
    std::string incomplete(endpoint who, model m) const;

    deployment_options options_;
    std::uint64_t draws_ = 0;
    std::uint64_t order_ = 0;
    time_point now_{std::chrono::hours(1)};
    std::priority_queue<event> events_;
    std::vector<node> nodes_;
    std::map<node_id, endpoint> by_id_;
    std::map<deployment::stream_number, stream> streams_;
    deployment::stream_number last_stream_ = 0;
    std::set<std::pair<endpoint, endpoint>> cuts_;
    std::map<std::pair<endpoint, model>, std::vector<time_point>> opened_at_;
    std::vector<std::string> violations_;
    std::vector<std::string> story_;
};

}  // namespace starling::sim

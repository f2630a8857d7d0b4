#include "chain_simulator.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <queue>
#include <tuple>

namespace starling::sim {

namespace {

enum class happening { sent, arrived, served };

struct event {
    double at_ms = 0.0;
    std::uint64_t order = 0;  // among those of the same instant, as they were made
    happening what = happening::sent;
    std::size_t stage = 0;
    std::size_t group = 0;

    bool operator>(const event& other) const { return std::tie(at_ms, order) > std::tie(other.at_ms, other.order); }
};

class chain_world {
  public:
    chain_world(const chain& what, const chain_load& load)
        : chain_(what),
          load_(load),
          waiting_(what.stages.size()),
          busy_(what.stages.size(), false),
          worked_ms_(what.stages.size(), 0.0),
          wire_free_ms_(what.stages.size(), 0.0),
          rounds_(load.groups, 0),
          width_(load.groups, load.streams / load.groups) {
        for (std::size_t group = 0; group < load.streams % load.groups; ++group) {
            ++width_[group];
        }
    }

    chain_outcome run() {
        for (std::size_t group = 0; group < load_.groups; ++group) {
            send(group, 0);
        }
        while (!events_.empty() && !done()) {
            const event next = events_.top();
            events_.pop();
            now_ms_ = next.at_ms;
            switch (next.what) {
                case happening::sent: on_sent(next); break;
                case happening::arrived: on_arrived(next); break;
                case happening::served: on_served(next); break;
            }
        }
        chain_outcome out;
        const double span = now_ms_ - measured_from_ms_;
        out.tokens_per_s = span > 0.0 ? static_cast<double>(tokens_) / span * 1000.0 : 0.0;
        out.busiest_stage = span > 0.0 ? *std::max_element(worked_ms_.begin(), worked_ms_.end()) / span : 0.0;
        return out;
    }

  private:
    bool done() const {
        return *std::min_element(rounds_.begin(), rounds_.end()) >= load_.warm_up_rounds + load_.rounds;
    }
    bool warm() const { return *std::min_element(rounds_.begin(), rounds_.end()) >= load_.warm_up_rounds; }

    double shaken(double ms) {
        return load_.jitter > 0.0 ? ms * (1.0 + load_.jitter * (2.0 * uniform_draw(load_.seed, draws_++) - 1.0)) : ms;
    }

    void plan(double at_ms, happening what, std::size_t stage, std::size_t group) {
        events_.push({.at_ms = at_ms, .order = made_++, .what = what, .stage = stage, .group = group});
    }

    /// Onto the wire into `stage`, behind what is being put onto it already.
    void send(std::size_t group, std::size_t stage) {
        // Token ids, which go to the first stage, take no room on a wire.
        const double room = stage == 0 ? 0.0 : chain_.wires[stage].sequence_ms * static_cast<double>(width_[group]);
        wire_free_ms_[stage] = std::max(wire_free_ms_[stage], now_ms_) + room;
        plan(wire_free_ms_[stage], happening::sent, stage, group);
    }

    void on_sent(const event& e) {
        plan(now_ms_ + shaken(chain_.wires[e.stage].delay_ms), happening::arrived, e.stage, e.group);
    }

    void on_arrived(const event& e) {
        waiting_[e.stage].push_back(e.group);
        serve_next(e.stage);
    }

    void on_served(const event& e) {
        busy_[e.stage] = false;
        serve_next(e.stage);
        if (e.stage + 1 < chain_.stages.size()) {
            send(e.group, e.stage + 1);
            return;
        }
        // The coordinator has the tokens of this group, and sends their next step off.
        ++rounds_[e.group];
        if (measuring_) {
            tokens_ += width_[e.group];
        } else if (warm()) {
            measuring_ = true;
            measured_from_ms_ = now_ms_;
            std::fill(worked_ms_.begin(), worked_ms_.end(), 0.0);
        }
        send(e.group, 0);
    }

    void serve_next(std::size_t stage) {
        if (busy_[stage] || waiting_[stage].empty()) {
            return;
        }
        const std::size_t group = waiting_[stage].front();
        waiting_[stage].pop_front();
        busy_[stage] = true;
        const stage_server& server = chain_.stages[stage];
        double takes = server.step_ms + server.first_ms;
        for (std::uint64_t further = 1; further < width_[group]; ++further) {
            takes += server.further_ms;
        }
        takes = shaken(takes);
        worked_ms_[stage] += takes;
        plan(now_ms_ + takes, happening::served, stage, group);
    }

    const chain& chain_;
    const chain_load load_;
    std::priority_queue<event, std::vector<event>, std::greater<>> events_;
    std::vector<std::deque<std::size_t>> waiting_;  // groups, at each stage
    std::vector<bool> busy_;
    std::vector<double> worked_ms_;
    std::vector<double> wire_free_ms_;
    std::vector<std::uint64_t> rounds_;
    std::vector<std::uint64_t> width_;  // sequences of each group
    std::uint64_t made_ = 0;
    std::uint64_t draws_ = 0;
    std::uint64_t tokens_ = 0;
    bool measuring_ = false;
    double now_ms_ = 0.0;
    double measured_from_ms_ = 0.0;
};

}  // namespace

chain_outcome simulate(const chain& what, const chain_load& load) {
    return chain_world(what, load).run();
}

}  // namespace starling::sim

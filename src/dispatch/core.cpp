#include "dispatch/core.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <utility>

namespace starling::dispatch {

lease::lease(std::shared_ptr<core> of, node_and_model at) : of_(std::move(of)), at_(std::move(at)) {
    of_->in_flight.begin(at_);
}

lease::~lease() {
    of_->in_flight.end(at_);
}

core::core(boost::asio::any_io_executor network_, directory& workers_, options how_, std::uint64_t seed,
           std::function<void(const decision&)> log_)
    : network(std::move(network_)), workers(workers_), how(how_), log(std::move(log_)), seed_(seed) {}

double core::draw() {
    return uniform_draw(seed_, draws_++);
}

route::worker_view core::view_of(const worker& one, const std::string& model) {
    const node_and_model at(one.view.id, model);
    auto view = with_own(one.view, in_flight.count(at));
    speeds.apply(at, view);
    return view;
}

std::int32_t core::beside(const node_and_model& at) {
    const auto own = in_flight.count(at);
    auto there = own;
    for (const worker& one : workers.workers(at.second)) {
        if (one.view.id == at.first) {
            there = with_own(one.view, own).busy;
        }
    }
    return std::max(0, there - 1);
}

void core::note(decision made) {
    if (log) {
        log(made);
    }
    recent.push_back(std::move(made));
    if (recent.size() > recent_decisions) {
        recent.pop_front();
    }
}

}  // namespace starling::dispatch

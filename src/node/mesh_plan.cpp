// What the API asks of where a model would go, as the planner is asked.
#include "models/errc.hpp"
#include "node/mesh.hpp"
#include "node/model_plan.hpp"
#include "plan/errc.hpp"
#include "plan/plan.hpp"

#include <utility>

namespace starling::node {

namespace {

/// The sentence stays; the code becomes one that the API knows.
error for_api(const error& why) {
    if (why == models::errc::not_found || why == models::errc::not_here) {
        return fail(engine::errc::unknown_model, why.message);
    }
    if (why == plan::errc::too_large || why == plan::errc::too_few_machines || why == plan::errc::no_machine ||
        why == plan::errc::no_coordinator) {
        return fail(engine::errc::unavailable, why.message);
    }
    return fail(engine::errc::invalid_request, why.message);
}

/// The node's own settings, with what was asked for instead.
result<settings::config> settings_for(const settings::config& own, const api::plan_question& asked) {
    settings::config out = own;
    if (asked.split) {
        if (auto applied = settings::apply_flags(out, {{"split", *asked.split}}); !applied) {
            return applied.error();
        }
    }
    out.context = asked.context.value_or(out.context);
    out.slots = asked.slots.value_or(out.slots);
    return out;
}

}  // namespace

boost::asio::awaitable<result<api::model_plan>> mesh::plan(api::plan_question asked) {
    if (with_.role != admission::role::worker) {
        co_return fail(engine::errc::invalid_request,
                       "This node is a client and computes nothing; ask a node that serves models.");
    }
    auto which = models::parse_reference(asked.model);
    auto how = settings_for(*with_.settings, asked);
    if (!which || !how) {
        co_return for_api(which ? how.error() : which.error());
    }
    auto planning = split_models_.plan(std::move(*which), std::move(*how));
    const auto made = co_await std::move(planning);
    if (!made) {
        co_return for_api(made.error());
    }
    co_return told(*made);
}

}  // namespace starling::node

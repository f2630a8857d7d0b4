#include "node/sharing_service.hpp"

#include "base/memory.hpp"
#include "base/size_text.hpp"
#include "engine/errc.hpp"
#include "llama/llama.hpp"
#include "node/own_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace {

error refused(std::string why) {
    return fail(engine::errc::invalid_request, std::move(why));
}

error is_given(std::string_view what, std::string_view flags) {
    return refused(fmt::format(
        "{} was decided when this node was started ({}), so it cannot be changed here; start it anew for that.", what,
        flags));
}

}  // namespace

sharing_service::sharing_service(sharing_parts with) : with_(std::move(with)) {
    if (!with_.may_restart) {
        with_.fixed = is_fixed("memory") ? std::vector<std::string>{"reachable", "who", "memory"}
                                         : std::vector<std::string>{"reachable", "who"};
    }
}

bool sharing_service::is_on() const {
    return with_.role == admission::role::worker && with_.chosen.sharing.value_or(true);
}

bool sharing_service::is_fixed(std::string_view what) const {
    return std::find(with_.fixed.begin(), with_.fixed.end(), what) != with_.fixed.end();
}

/// After a choice that the restart will carry out, that choice.
bool sharing_service::is_reachable() const {
    if (restarting_ && !is_fixed("reachable")) {
        return with_.chosen.reachable.value_or(false);
    }
    return mesh_ != nullptr && mesh_->takes_newcomers() && !mesh_->listens().address().is_loopback();
}

std::uint64_t sharing_service::lent_bytes() const {
    const std::uint64_t limit = with_.settings->memory_bytes;
    if (with_.role != admission::role::worker) {
        return 0;
    }
    return limit == 0 || (with_.memory_total_bytes != 0 && limit > with_.memory_total_bytes) ? with_.memory_total_bytes
                                                                                             : limit;
}

api::sharing_facts sharing_service::facts() const {
    api::sharing_facts out;
    out.in_mesh = mesh_ != nullptr && !mesh_->id().empty();
    out.sharing = is_on();
    out.reachable = is_reachable();
    out.listens = mesh_ != nullptr ? address_text(mesh_->listens().address(), mesh_->listens().port()) : std::string();
    const bool asks =
        restarting_ && !is_fixed("who") ? with_.chosen.who == api::who_joins::invite_or_ask : with_.settings->lan;
    out.who = asks ? api::who_joins::invite_or_ask : api::who_joins::invite;
    out.may_invite = mesh_ != nullptr && mesh_->may_invite();
    out.memory_bytes = lent_bytes();
    out.memory_total_bytes = with_.memory_total_bytes;
    out.fixed = with_.fixed;
    return out;
}

result<void> sharing_service::check(const api::sharing_wish& wish) const {
    const api::sharing_facts now = facts();
    const bool is_client = with_.role != admission::role::worker;
    if (is_client && (wish.sharing.value_or(false) || wish.memory_bytes.value_or(0) != 0)) {
        return refused("A client computes nothing, so it has nothing to share; run `starling serve` for that.");
    }
    if (wish.reachable && *wish.reachable != now.reachable && is_fixed("reachable")) {
        return is_given("Whether others can connect", "--peer-bind or --bind");
    }
    if (wish.who && *wish.who != now.who && is_fixed("who")) {
        return is_given("Who can join", "--lan");
    }
    if (!wish.memory_bytes || is_client || *wish.memory_bytes == now.memory_bytes) {
        return {};
    }
    if (is_fixed("memory")) {
        return is_given("The memory for models", "--memory");
    }
    if (*wish.memory_bytes < least_lent_bytes) {
        return refused(fmt::format("{} is too little for any model; lend {} or more, or switch sharing off.",
                                   size_text(*wish.memory_bytes), size_text(least_lent_bytes)));
    }
    if (now.memory_total_bytes != 0 && *wish.memory_bytes > now.memory_total_bytes) {
        return refused(fmt::format("This machine has {} of memory, so it cannot lend {}.",
                                   size_text(now.memory_total_bytes), size_text(*wish.memory_bytes)));
    }
    return {};
}

result<api::sharing_outcome> sharing_service::change(const api::sharing_wish& wish) {
    if (auto fits = check(wish); !fits) {
        return fits.error();
    }
    const api::sharing_facts before = facts();
    sharing_choices next = with_.chosen;
    if (with_.role == admission::role::worker) {
        next.sharing = wish.sharing ? wish.sharing : next.sharing;
        next.memory_bytes =
            wish.memory_bytes && *wish.memory_bytes != before.memory_bytes ? wish.memory_bytes : next.memory_bytes;
    }
    next.reachable = wish.reachable && !is_fixed("reachable") ? wish.reachable : next.reachable;
    next.who = wish.who && !is_fixed("who") ? wish.who : next.who;
    if (next != with_.chosen) {
        if (auto kept = save_sharing(with_.settings->data_dir / "sharing.json", next); !kept) {
            return fail(engine::errc::unavailable, kept.error().message);
        }
    }
    with_.chosen = next;
    if (!is_fixed("memory") && next.memory_bytes) {
        with_.settings->memory_bytes = *next.memory_bytes;
    }
    with_.on_changed();
    const bool other_sockets =
        wish.reachable.value_or(before.reachable) != before.reachable || wish.who.value_or(before.who) != before.who;
    if (other_sockets && !std::exchange(restarting_, true)) {
        with_.restart();
    }
    return restarting_ ? api::sharing_outcome::restarts : api::sharing_outcome::done;
}

std::uint64_t total_memory(const settings::config& settings) {
    std::uint64_t total = machine_memory().total;
    if (total != 0 && settings.gpu_layers != 0) {
        for (const llama::device_info& device : llama::devices()) {
            // An integrated GPU shares the memory that is counted already.
            total += device.kind == "gpu" ? device.memory_total : 0;
        }
    }
    return total;
}

}  // namespace starling::node

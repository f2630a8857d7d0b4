// Connections: who is let in, who is called, and which of two stays.
#include "aio/pause.hpp"
#include "peers/duplicate_policy.hpp"
#include "peers/service.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <utility>

namespace starling::peers {

using std::chrono::steady_clock;

namespace {

constexpr auto connect_time = std::chrono::milliseconds(2'000);      // per address; two round trips around the world
constexpr auto doubtful_silence = std::chrono::milliseconds(1'250);  // a live one is heard every second
constexpr auto refusal_is_read = std::chrono::milliseconds(100);     // before its connection goes
/// The other side decides alike and may be a moment behind: what it has just begun is heard of within this.
constexpr auto retired_check = std::chrono::milliseconds(500);
constexpr auto least_between_dials = std::chrono::milliseconds(20);

/// Those that are not there yet.
void merge(std::vector<std::string>& into, const std::vector<std::string>& from) {
    for (const std::string& one : from) {
        if (std::find(into.begin(), into.end(), one) == into.end()) {
            into.push_back(one);
        }
    }
}

bool is_refusal(const error& why) {
    return why.code.category() == enum_category<admission::errc>::instance() || why == wire::errc::unsupported;
}

}  // namespace

awaitable<void> service::run_accept_loop() {
    for (;;) {
        auto newcomer = co_await self_.endpoint->accept();
        if (!newcomer) {
            co_return;
        }
        if (newcomers_.size() >= max_newcomers) {
            newcomers_.front()->close("too many newcomers");
            newcomers_.pop_front();
        }
        newcomers_.push_back(*newcomer);
        tasks_.spawn(welcome(std::move(*newcomer)));
    }
}

awaitable<void> service::welcome(std::shared_ptr<transport::connection> newcomer) {
    auto check_it = [this](const admission::certificate& of) { return check(of); };
    auto mine = introduce();
    auto who = co_await receive_greeting(newcomer, std::move(mine), std::move(check_it), hooks_.redeem, self_.room);
    std::erase(newcomers_, newcomer);
    if (!who) {
        if (is_refusal(who.error())) {
            report(event_kind::refused, newcomer->peer(), who.error().message);
        } else {
            report(event_kind::not_reached, newcomer->peer(), "it came here: " + who.error().message);
        }
        // The other side is to read the refusal before the connection goes.
        co_await aio::pause(refusal_is_read);
        newcomer->close("not admitted");
        co_return;
    }
    co_await run_link(std::move(newcomer), std::move(*who));
}

std::vector<service::candidate> service::candidates() const {
    std::vector<candidate> out;
    if (stopping_ || links_.size() >= max_links) {
        return out;
    }
    const auto find = [&](const node_id& id) {
        return std::find_if(out.begin(), out.end(), [&](const candidate& one) { return one.id == id; });
    };
    for (const contact& one : hints_) {
        if (!links_.contains(one.id)) {
            out.push_back({.id = one.id, .addresses = one.addresses, .urgency = dial_policy::urgency::contact});
        }
    }
    for (const contact& one : self_.contacts) {
        if (links_.contains(one.id) || one.id == self_.self.id()) {
            continue;
        }
        if (const auto hinted = find(one.id); hinted != out.end()) {
            merge(hinted->addresses, one.addresses);
        } else {
            out.push_back({.id = one.id, .addresses = one.addresses, .urgency = dial_policy::urgency::contact});
        }
    }
    for (const known_member& one : gossip_->members()) {
        const bool gone = one.state == membership::member_state::left ||
                          (one.state == membership::member_state::dead && !waiting_.contains(one.id));
        if (gone || one.id == self_.self.id() || links_.contains(one.id) || one.said->addresses.empty() ||
            revoked_.revokes(one.id, one.said->certificate.issued_s)) {
            continue;
        }
        if (const auto given = find(one.id); given != out.end()) {
            merge(given->addresses, one.said->addresses);
        } else {
            out.push_back({.id = one.id, .addresses = one.said->addresses, .urgency = dial_policy::urgency::member});
        }
    }
    return out;
}

awaitable<void> service::run_dial_loop() {
    for (;;) {
        auto earliest = steady_clock::now() + std::chrono::seconds(1);
        for (candidate& one : candidates()) {
            if (dials_.take(one.id, one.urgency, steady_clock::now())) {
                tasks_.spawn(dial(one.id, std::move(one.addresses)));
            } else {
                earliest = std::min(earliest, dials_.next(one.id));
            }
        }
        co_await dial_wake_.wait_until(std::max(earliest, steady_clock::now() + least_between_dials));
    }
}

awaitable<void> service::dial(node_id whom, std::vector<std::string> addresses) {
    for (const std::string& text : addresses) {
        const auto where = parse_address(text);
        if (!where) {
            continue;
        }
        auto made = co_await self_.endpoint->connect(*where, whom, steady_clock::now() + connect_time);
        if (!made) {
            report(event_kind::not_reached, whom, text + ": " + made.error().message);
            continue;
        }
        auto by = refusal_by::them;
        auto check_it = [this, &by](const admission::certificate& of) {
            auto fine = check(of);
            by = fine ? by : refusal_by::us;
            return fine;
        };
        auto mine = introduce();
        auto who = co_await greet(*made, std::move(mine), std::move(check_it));
        if (!who) {
            (*made)->close("not admitted");
            if (is_refusal(who.error())) {
                on_refusal(whom, who.error(), by);
                co_return;
            }
            report(event_kind::not_reached, whom, text + ": " + who.error().message);
            continue;
        }
        dials_.ended(whom);
        co_await run_link(std::move(*made), std::move(*who));
        co_return;
    }
    if (!is_known(whom)) {
        give_up(whom);
        co_return;
    }
    waiting_.erase(whom);
    constexpr double range = 1.0 / 4294967296.0;
    dials_.failed(whom, steady_clock::now(), static_cast<double>(dice_()) * range);
}

void service::on_refusal(const node_id& whom, const error& why, refusal_by side) {
    if (is_known(whom)) {
        waiting_.erase(whom);
        dials_.refused(whom, steady_clock::now());
    } else {
        give_up(whom);
    }
    // Of strangers on the local network nobody knows whether they are members.
    const auto given = [&](const contact& one) { return one.id == whom; };
    const bool trusted = std::any_of(self_.contacts.begin(), self_.contacts.end(), given) || gossip_->find(whom);
    const bool about_us =
        side == refusal_by::them && trusted && (why == admission::errc::revoked || why == admission::errc::expired);
    report(about_us ? event_kind::self_revoked : event_kind::refused, whom, why.message);
}

bool service::adopt(const std::shared_ptr<link>& fresh) {
    const node_id& self = self_.self.id();
    const node_id& peer = fresh->connection()->peer();
    const auto found = links_.find(peer);
    if (found != links_.end()) {
        const auto silent = steady_clock::now() - found->second->connection()->facts().last_heard;
        const bool doubtful = silent > doubtful_silence;
        const node_id& existing_by = found->second->made_by(self);
        if (!doubtful && which_to_keep(self, peer, existing_by, fresh->made_by(self)) == keep::existing) {
            return false;
        }
        if (doubtful || existing_by == fresh->made_by(self)) {
            found->second->connection()->close("there is a newer connection");
        } else {
            fresh->succeed(*found->second);
            tasks_.spawn(retire(found->second));
        }
    }
    links_.insert_or_assign(peer, fresh);
    dials_.forget(peer);
    return true;
}

awaitable<void> service::retire(std::shared_ptr<link> one) {
    const node_id peer = one->connection()->peer();
    if (const auto earlier = retired_.find(peer); earlier != retired_.end()) {
        earlier->second->connection()->close("there are newer connections");
    }
    retired_.insert_or_assign(peer, one);
    do {
        co_await aio::pause(retired_check);
    } while (!one->connection()->ended() && one->requests() > 0);
    one->connection()->close("there is another connection");
    if (const auto now = retired_.find(peer); now != retired_.end() && now->second == one) {
        retired_.erase(now);
    }
}

awaitable<void> service::run_link(std::shared_ptr<transport::connection> on, acquaintance who) {
    const node_id peer = on->peer();
    const auto fresh = std::make_shared<link>(network_, on, std::move(who), link_hooks_, feed_);
    if (stopping_) {
        on->close("stopping");
        co_return;
    }
    if (!adopt(fresh)) {
        tasks_.spawn(retire(fresh));
        co_await fresh->run(&tasks_);
        co_return;
    }
    report(event_kind::connected, peer, {});
    fresh->tell(tasks_, revoked_.all());
    if (const auto waiting = waiting_.extract(peer)) {
        for (auto& [message, size] : waiting.mapped()) {
            fresh->send(std::move(message), size);
        }
    }
    const auto member = gossip_->find(peer);
    if (!member || member->state != membership::member_state::alive) {
        gossip_->join(peer);
    }
    changed();
    co_await fresh->run(&tasks_);
    const auto now = links_.find(peer);
    if (now == links_.end() || now->second != fresh) {
        co_return;
    }
    links_.erase(now);
    const auto why = on->ended();
    report(event_kind::lost, peer, why ? why->message : std::string());
    if (!stopping_) {
        gossip_->look_at(peer);
        dial_wake_.notify();
    }
    changed();
}

}  // namespace starling::peers

#include "peers/service.hpp"

#include "aio/pause.hpp"
#include "base/unix_time.hpp"
#include "peers/duplicate_policy.hpp"
#include "transport/errc.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace starling::peers {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using transport::steady_time;

namespace {

constexpr auto silence_limit = std::chrono::milliseconds(2'500);  // a live member is heard every second at least
constexpr auto silence_check = std::chrono::milliseconds(250);
constexpr auto regular_status = std::chrono::seconds(5);       // told at least so often (mission: health)
constexpr auto status_check = std::chrono::milliseconds(500);  // looked at so often
constexpr auto least_between_checks = std::chrono::milliseconds(20);
constexpr auto farewell_time = std::chrono::milliseconds(400);  // for a goodbye to be told on
constexpr auto closing_time = std::chrono::milliseconds(2'000);
constexpr std::size_t max_waiting_messages = 4;  // per member that is being connected to; gossip repeats itself
constexpr std::size_t max_contacts = 16;

/// Those that are not there yet.
void merge(std::vector<std::string>& into, const std::vector<std::string>& from) {
    for (const std::string& one : from) {
        if (std::find(into.begin(), into.end(), one) == into.end()) {
            into.push_back(one);
        }
    }
}

}  // namespace

std::optional<transport::address> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    std::uint16_t port = 0;
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    boost::system::error_code wrong;
    const auto ip = asio::ip::make_address(std::string(host), wrong);
    if (wrong || failed != std::errc{} || end != digits.data() + digits.size() || port == 0) {
        return std::nullopt;
    }
    return transport::address(ip, port);
}

service::service(asio::any_io_executor network, setup of, hooks calls)
    : network_(network),
      self_(std::move(of)),
      hooks_(std::move(calls)),
      revoked_(self_.said.certificate.mesh),
      feed_(network),
      status_wake_(network),
      dial_wake_(network),
      dials_(self_.self.id()),
      dice_(static_cast<std::uint32_t>(self_.seed)),
      tasks_(network, hooks_.on_bug) {
    for (const admission::revocation& one : self_.revoked) {
        static_cast<void>(revoked_.add(one, unix_time_s()));
    }
    link_hooks_.on_gossip = [this](const node_id& from, std::span<const std::uint8_t> message) {
        gossip_->receive(from, message);
    };
    link_hooks_.on_revocations = [this](const node_id& from, const std::vector<admission::revocation>& heard) {
        on_revocations(from, heard);
    };
    link_hooks_.on_status = [this](const node_id&) { changed(); };
    link_hooks_.serve = hooks_.serve;
}

service::~service() = default;

result<std::unique_ptr<service>> service::create(asio::any_io_executor network, setup of, hooks calls) {
    std::unique_ptr<service> made(new service(network, std::move(of), std::move(calls)));
    gossip_hooks from_gossip;
    from_gossip.send = [to = made.get()](const node_id& id, wire::bytes message, message_size size) {
        to->send(id, std::move(message), size);
    };
    from_gossip.changed = [to = made.get()](const membership::member_changed& what) { to->on_member(what); };
    auto gossip = gossip::create(network, made->self_.self, made->self_.said, made->revoked_, made->self_.seed,
                                 std::move(from_gossip));
    if (!gossip) {
        return gossip.error();
    }
    made->gossip_ = std::move(*gossip);
    return made;
}

void service::start() {
    tasks_.spawn(gossip_->run());
    tasks_.spawn(run_accept_loop());
    tasks_.spawn(run_dial_loop());
    tasks_.spawn(run_silence_loop());
    tasks_.spawn(run_status_loop());
    for (const contact& one : self_.contacts) {
        gossip_->join(one.id);
    }
}

awaitable<void> service::stop() {
    stopping_ = true;
    gossip_->leave();
    const auto until = steady_clock::now() + farewell_time;
    do {
        co_await aio::pause(least_between_checks);  // what was said now goes out at the end of this turn
    } while (!gossip_->drained() && steady_clock::now() < until);
    self_.endpoint->stop();
    // What runs on connections ends with them, in order; what is left waits for nothing but time.
    const auto closed = steady_clock::now() + closing_time;
    while (!links_.empty() && steady_clock::now() < closed) {
        co_await aio::pause(least_between_checks);
    }
    tasks_.cancel();
    co_await tasks_.join();
}

std::vector<peer_view> service::peers() const {
    std::vector<peer_view> out;
    for (const known_member& one : gossip_->members()) {
        if (one.id == self_.self.id()) {
            continue;
        }
        peer_view view{.id = one.id, .said = *one.said, .state = one.state, .connection = {}, .status = {}};
        view.revoked = revoked_.revokes(one.id, one.said->certificate.issued_s);
        if (const auto found = links_.find(one.id); found != links_.end()) {
            view.connection = found->second->connection();
            view.status = found->second->status();
        }
        out.push_back(std::move(view));
    }
    return out;
}

std::vector<contact> service::contacts() const {
    std::vector<contact> out;
    for (const auto& [id, one] : links_) {
        if (const auto member = gossip_->find(id); member && !member->said->addresses.empty()) {
            out.push_back({.id = id, .addresses = member->said->addresses});
        }
    }
    for (const contact& given : self_.contacts) {
        const auto same = [&](const contact& other) { return other.id == given.id; };
        if (std::none_of(out.begin(), out.end(), same)) {
            out.push_back(given);
        }
    }
    out.resize(std::min(out.size(), max_contacts));
    return out;
}

void service::revoke(const admission::revocation& by_us) {
    on_revocations(self_.self.id(), {by_us});
}

void service::add_contact(contact found) {
    if (found.id == self_.self.id() || links_.contains(found.id)) {
        return;
    }
    const auto same = [&](const contact& other) { return other.id == found.id; };
    const auto known = std::find_if(hints_.begin(), hints_.end(), same);
    std::vector<std::string> before;
    if (known != hints_.end()) {
        before = std::move(known->addresses);
        hints_.erase(known);
    } else if (hints_.size() >= max_hints) {
        const node_id oldest = hints_.front().id;
        hints_.pop_front();
        if (!is_known(oldest) && dials_.next(oldest) != steady_clock::time_point::max()) {
            give_up(oldest);  // otherwise dial() does when it ends
        }
    }
    const std::size_t places = before.size();
    merge(before, found.addresses);
    // The same place again is no reason to disturb whoever has just refused.
    if (before.size() > places) {
        dials_.hurry(found.id, steady_clock::now());
    }
    merge(found.addresses, before);
    found.addresses.resize(std::min(found.addresses.size(), max_hinted_addresses));
    hints_.push_back(std::move(found));
    dial_wake_.notify();
}

bool service::is_known(const node_id& whom) const {
    const auto same = [&](const contact& one) { return one.id == whom; };
    return std::any_of(hints_.begin(), hints_.end(), same) ||
           std::any_of(self_.contacts.begin(), self_.contacts.end(), same) || gossip_->find(whom).has_value();
}

void service::give_up(const node_id& whom) {
    waiting_.erase(whom);
    dials_.ended(whom);
}

void service::status_changed() {
    status_due_ = true;
    status_wake_.notify();
}

awaitable<void> service::run_silence_loop() {
    auto last = steady_clock::now();
    for (;;) {
        co_await aio::pause(silence_check);
        const auto now = steady_clock::now();
        // Where it was us who did not get to run, nobody else is to blame.
        const bool overslept = now - last > silence_check * 3;
        last = now;
        if (overslept) {
            continue;
        }
        for (const auto* all : {&links_, &retired_}) {
            for (const auto& [id, one] : *all) {
                if (now - one->connection()->facts().last_heard > silence_limit) {
                    one->connection()->close("silent");
                }
            }
        }
    }
}

awaitable<void> service::run_status_loop() {
    node_status told;
    auto told_at = steady_clock::time_point::min();
    for (;;) {
        node_status now = hooks_.status();
        const auto time = steady_clock::now();
        if (feed_.version == 0 || time - told_at >= regular_status || differs(told, now)) {
            feed_.text = to_json(now);
            ++feed_.version;
            feed_.changed.notify();
            told = std::move(now);
            told_at = time;
        }
        co_await aio::pause(least_between_checks);
        if (!status_due_) {
            co_await status_wake_.wait_until(time + status_check);
        }
        status_due_ = false;
    }
}

void service::send(const node_id& to, wire::bytes message, message_size size) {
    if (const auto found = links_.find(to); found != links_.end()) {
        found->second->send(std::move(message), size);
        return;
    }
    auto& waiting = waiting_[to];
    if (waiting.size() < max_waiting_messages) {
        waiting.emplace_back(std::move(message), size);
    }
    dial_wake_.notify();
}

void service::on_member(const membership::member_changed& what) {
    if (what.after && what.before != what.after) {
        report(event_kind::changed_state, what.id, membership::to_string(*what.after));
    }
    if (what.after == membership::member_state::alive) {
        dials_.hurry(what.id, steady_clock::now());
    }
    if (!what.after || *what.after == membership::member_state::left) {
        waiting_.erase(what.id);
        dials_.forget(what.id);
    }
    dial_wake_.notify();
    changed();
}

void service::on_revocations(const node_id& from, const std::vector<admission::revocation>& heard) {
    std::vector<admission::revocation> news;
    for (const admission::revocation& one : heard) {
        auto added = revoked_.add(one, unix_time_s());
        if (added && *added) {
            news.push_back(one);
        }
        // Members pass on what they have checked. Whoever has not makes us check no more of it.
        if (!added && added.error() == admission::errc::forged) {
            break;
        }
    }
    for (const auto& [id, one] : links_) {
        if (id != from) {
            one->tell(tasks_, news);
        }
    }
    for (const admission::revocation& one : news) {
        hooks_.on_revocation(one);
        enforce(one);
    }
}

void service::enforce(const admission::revocation& one) {
    if (one.subject == self_.self.id()) {
        if (revoked_.revokes(one.subject, self_.said.certificate.issued_s)) {
            report(event_kind::self_revoked, one.issuer, "This node's membership was ended.");
        }
        return;
    }
    report(event_kind::revoked, one.subject, {});
    for (const auto* all : {&links_, &retired_}) {
        const auto found = all->find(one.subject);
        if (found != all->end() && revoked_.revokes(one.subject, found->second->who().certificate.issued_s)) {
            found->second->connection()->close("revoked");
        }
    }
    changed();
}

introduction service::introduce() const {
    return {
        .mesh = self_.said.certificate.mesh, .certificate = self_.said.certificate, .software = self_.said.software};
}

result<void> service::check(const admission::certificate& of) const {
    return admission::check(of, self_.said.certificate.mesh, unix_time_s(), revoked_);
}

std::string service::name_of(const node_id& id) const {
    const auto member = gossip_->find(id);
    return member ? member->said->name : std::string();
}

void service::report(event_kind kind, const node_id& id, std::string detail) {
    hooks_.on_event({.kind = kind, .id = id, .name = name_of(id), .detail = std::move(detail)});
}

void service::changed() {
    hooks_.on_changed();
}

}  // namespace starling::peers

#include "peers/gossip.hpp"

#include "base/unix_time.hpp"
#include "peers/membership_codec.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace starling::peers {

namespace {

/// Of one message. A member may pass on a record that has just expired, not dozens; what follows so many is not looked
/// at.
constexpr std::size_t max_bad_records = 16;

membership::time_point steady_now() {
    return std::chrono::steady_clock::now();
}

/// Higher than in any life before. In milliseconds, so that a node that is started again within a second is not taken
/// for the one that has just said goodbye.
membership::incarnation_number next_incarnation() {
    using std::chrono::milliseconds;
    const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    return static_cast<membership::incarnation_number>(std::max<milliseconds::rep>(now.count(), 0));
}

bool is_sync(const membership::message& m) {
    return std::holds_alternative<membership::sync_request>(m) || std::holds_alternative<membership::sync_digest>(m) ||
           std::holds_alternative<membership::sync_records>(m);
}

}  // namespace

gossip::gossip(boost::asio::any_io_executor network, membership::detector detector, node_id mesh,
               const admission::revocation_list& revoked, gossip_hooks hooks)
    : detector_(std::move(detector)),
      mesh_(mesh),
      revoked_(revoked),
      hooks_(std::move(hooks)),
      sooner_(std::move(network)) {}

result<std::unique_ptr<gossip>> gossip::create(boost::asio::any_io_executor network, keys::key_pair self,
                                               const description& said, const admission::revocation_list& revoked,
                                               std::uint64_t seed, gossip_hooks hooks) {
    membership::setup setup;
    setup.self = self.id();
    setup.payload = encode(said);
    setup.incarnation = next_incarnation();
    setup.sign = make_signer(self);
    setup.seed = seed;
    auto made = membership::detector::create(std::move(setup), steady_now());
    if (!made) {
        return made.error();
    }
    return std::unique_ptr<gossip>(
        new gossip(std::move(network), std::move(*made), said.certificate.mesh, revoked, std::move(hooks)));
}

transport::awaitable<void> gossip::run() {
    for (;;) {
        const auto next = detector_.next_tick();
        if (next > steady_now()) {
            co_await sooner_.wait_until(next);
        }
        const auto now = steady_now();
        if (now >= detector_.next_tick()) {
            carry_out(detector_.tick(now));
        }
    }
}

void gossip::receive(const node_id& from, std::span<const std::uint8_t> bytes_of_it) {
    auto message = decode_message(bytes_of_it);
    if (!message) {
        return;
    }
    drop_unverified(*message);
    carry_out(detector_.receive(from, *message, steady_now()));
}

void gossip::join(const node_id& id) {
    carry_out(detector_.join(id, steady_now()));
}

void gossip::look_at(const node_id& id) {
    carry_out(detector_.look_at(id, steady_now()));
}

void gossip::leave() {
    carry_out(detector_.leave(steady_now()));
}

std::optional<known_member> gossip::find(const node_id& id) const {
    const auto seen = detector_.find(id);
    const auto said = said_.find(id);
    if (!seen || said == said_.end()) {
        return std::nullopt;
    }
    return known_member{.id = id, .state = seen->state, .said = &said->second};
}

std::vector<known_member> gossip::members() const {
    std::vector<known_member> out;
    for (const membership::member_view& one : detector_.members()) {
        const auto said = said_.find(one.record->id);
        if (said != said_.end()) {
            out.push_back({.id = one.record->id, .state = one.state, .said = &said->second});
        }
    }
    return out;
}

void gossip::carry_out(membership::actions what) {
    for (membership::action& one : what) {
        if (auto* out = std::get_if<membership::send>(&one)) {
            hooks_.send(out->to, encode(out->message),
                        is_sync(out->message) ? message_size::large : message_size::datagram);
            continue;
        }
        const auto& change = std::get<membership::member_changed>(one);
        if (change.id == detector_.own().id) {
            continue;
        }
        if (!change.after) {
            said_.erase(change.id);
        } else if (auto said = parse_description(change.record->payload)) {
            said_.insert_or_assign(change.id, std::move(*said));
        }
        hooks_.changed(change);
    }
    sooner_.notify();
}

bool gossip::verified(const membership::shared_record& heard) {
    if (!heard) {
        return true;
    }
    if (const auto held = detector_.find(heard->id); held && *held->record == *heard) {
        return true;
    }
    return verify(*heard, mesh_, unix_time_s(), revoked_).has_value();
}

void gossip::drop_unverified(membership::message& heard) {
    const auto keep = [this](std::vector<membership::shared_record>& records) {
        std::size_t bad = 0;
        std::erase_if(records, [&](const membership::shared_record& one) {
            const bool drop = bad >= max_bad_records || !verified(one);
            bad += drop ? 1 : 0;
            return drop;
        });
    };
    const auto keep_one = [this](membership::shared_record& one) {
        if (!verified(one)) {
            one.reset();
        }
    };
    if (auto* request = std::get_if<membership::sync_request>(&heard)) {
        keep_one(request->sender);
    } else if (auto* digest = std::get_if<membership::sync_digest>(&heard)) {
        keep_one(digest->sender);
    } else if (auto* records = std::get_if<membership::sync_records>(&heard)) {
        keep(records->records);
    } else {
        std::visit(
            [&](auto& small) {
                if constexpr (requires { small.news; }) {
                    keep(small.news.records);
                }
            },
            heard);
    }
}

}  // namespace starling::peers

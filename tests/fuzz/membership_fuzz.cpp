// The membership state machine under any events at all: time that stands still, jumps or goes backwards, messages of
// any content from anybody, own changes. Whatever comes, its own node is never dead to itself, no incarnation goes
// back, all limits hold, and it always waits for a later moment than this one.
#include "membership/membership.hpp"

#include <cstdlib>
#include <map>

namespace {

using namespace starling;
using namespace starling::membership;

constexpr std::uint8_t ids = 12;  // few, so that events meet
constexpr std::size_t most_actions = 4 * max_members;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

node_id make_id(std::uint8_t name) {
    node_id id;
    id.bytes.fill(static_cast<std::uint8_t>(name % ids * 21));  // over all buckets
    return id;
}

/// Numbers and lists out of the input; zeros when it has ended.
class reader {
  public:
    reader(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

    bool ended() const { return left_ == 0; }
    std::uint8_t byte() {
        if (left_ == 0) {
            return 0;
        }
        --left_;
        return *data_++;
    }
    node_id id() { return make_id(byte()); }

    /// Mostly small numbers, so that they meet too; sometimes absurd ones.
    std::uint64_t number() {
        const std::uint8_t b = byte();
        switch (b) {
            case 255: return ~std::uint64_t{0};
            case 254: return max_incarnation;
            case 253: return max_incarnation + 1;
            default: return b;
        }
    }

    shared_record record() {
        const std::uint8_t kind = byte();
        if (kind == 255) {
            return nullptr;
        }
        const node_id whose = id();
        const std::uint64_t incarnation = number();
        return std::make_shared<const membership::record>(
            membership::record{.id = whose,
                               .incarnation = incarnation,
                               .kind = kind % 4 == 0 ? record_kind::left : record_kind::alive,
                               .payload = byte_string(byte() * 3U),
                               .signature = byte_string(kind)});
    }

    accusation accuse() {
        const node_id subject = id();
        const std::uint64_t incarnation = number();
        return {subject, incarnation, byte() % 2 == 0 ? claim::suspect : claim::dead, id()};
    }

    template <class T, class F>
    std::vector<T> list(F one) {
        std::vector<T> all(byte() % 40);
        for (T& item : all) {
            if (ended()) {
                break;
            }
            item = one();
        }
        return all;
    }

    membership::news news() {
        membership::news n;
        n.records = list<shared_record>([&] { return record(); });
        n.accusations = list<accusation>([&] { return accuse(); });
        return n;
    }

    message any_message() {
        switch (byte() % 8) {
            case 0: return ping{number(), news()};
            case 1: return ping_req{number(), id(), news()};
            case 2: return ack{number(), news()};
            case 3: return nack{number()};
            case 4: return gossip{news()};
            case 5: return sync_request{record(), std::vector<std::uint64_t>(number() % 300, number())};
            case 6: {
                sync_digest d{record(), static_cast<std::uint32_t>(number()), {}, {}};
                d.differing = list<std::uint16_t>([&] { return byte(); });
                d.entries = list<digest_entry>(
                    [&] { return digest_entry{id(), number(), static_cast<member_state>(byte() % 4)}; });
                return d;
            }
            default: {
                sync_records r;
                r.records = list<shared_record>([&] { return record(); });
                r.accusations = list<accusation>([&] { return accuse(); });
                r.wanted = list<node_id>([&] { return id(); });
                return r;
            }
        }
    }

  private:
    const std::uint8_t* data_;
    std::size_t left_;
};

class watcher {
  public:
    void check(const detector& node, const actions& todo) {
        require(todo.size() <= most_actions);
        for (const action& a : todo) {
            if (const auto* s = std::get_if<send>(&a)) {
                check_size(s->message);
                require(s->to != node.own().id);
            }
        }
        require(node.known_count() <= max_members);
        require(node.local_health() >= 0 && node.local_health() <= max_local_health);
        std::map<node_id, incarnation_number> seen;
        for (const member_view& m : node.members()) {
            const auto before = incarnations_.find(m.record->id);
            require(before == incarnations_.end() || before->second <= m.record->incarnation);
            require(m.record->incarnation <= max_incarnation && m.record->payload.size() <= max_payload_bytes);
            seen.emplace(m.record->id, m.record->incarnation);
        }
        incarnations_ = std::move(seen);
        const auto self = node.find(node.own().id)->state;
        require(self == member_state::alive || self == member_state::left);
        require(!left_ || self == member_state::left);
        left_ = self == member_state::left;
    }

  private:
    static void check_size(const message& m) {
        const bool sync = std::holds_alternative<sync_request>(m) || std::holds_alternative<sync_digest>(m) ||
                          std::holds_alternative<sync_records>(m);
        require(estimated_bytes(m) + message_overhead_bytes <= (sync ? 2 * max_sync_bytes : datagram_bytes));
    }

    std::map<node_id, incarnation_number> incarnations_;
    bool left_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    reader input(data, size);
    auto now = time_point{} + 1000s;
    auto node = detector::create({.self = make_id(0),
                                  .payload = byte_string(input.byte()),
                                  .incarnation = input.number(),
                                  .sign = [](const record&) { return byte_string(64); },
                                  .seed = input.byte()},
                                 now);
    watcher watch;
    while (!input.ended()) {
        switch (const std::uint8_t what = input.byte(); what % 16) {
            case 0: now += std::chrono::milliseconds(input.byte()); break;
            case 1: now += std::chrono::seconds(input.byte()); break;
            case 2: now += std::chrono::hours(what / 16); break;
            case 3: watch.check(*node, node->tick(now - std::chrono::seconds(input.byte()))); break;
            case 4: watch.check(*node, node->join(input.id(), now)); break;
            case 5: watch.check(*node, node->look_at(input.id(), now)); break;
            case 6:
                if (auto changed = node->set_payload(byte_string(input.byte() * 3U), now)) {
                    watch.check(*node, *changed);
                }
                break;
            case 7:
                if (what == 0xf7) {
                    watch.check(*node, node->leave(now));
                }
                break;
            case 8:
            case 9:
            case 10: {
                now = std::max(now, std::min(node->next_tick(), now + 1h));
                watch.check(*node, node->tick(now));
                require(node->next_tick() > now);
                break;
            }
            default: {
                const node_id from = input.id();
                watch.check(*node, node->receive(from, input.any_message(), now));
                break;
            }
        }
    }
    return 0;
}

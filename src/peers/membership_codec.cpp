#include "peers/membership_codec.hpp"

#include "membership/limits.hpp"
#include "peers/octets.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace starling::peers {

namespace {

using namespace membership;

enum class kind : std::uint8_t {
    ping = 1,
    ping_req = 2,
    ack = 3,
    nack = 4,
    gossip = 5,
    sync_request = 6,
    sync_digest = 7,
    sync_records = 8,
};

/// Most of anything in a sync: all members, and as many accusations as there can be members to accuse.
constexpr std::size_t max_listed = max_members;

class encoder {
  public:
    wire::bytes take() { return out_.take(); }

    void head(kind of) { out_.u8(static_cast<std::uint8_t>(of)); }

    void operator()(const ping& m) {
        head(kind::ping);
        out_.u64(m.sequence);
        put(m.news);
    }
    void operator()(const ping_req& m) {
        head(kind::ping_req);
        out_.u64(m.sequence);
        out_.raw(m.target.bytes);
        put(m.news);
    }
    void operator()(const ack& m) {
        head(kind::ack);
        out_.u64(m.sequence);
        put(m.news);
    }
    void operator()(const nack& m) {
        head(kind::nack);
        out_.u64(m.sequence);
    }
    void operator()(const gossip& m) {
        head(kind::gossip);
        put(m.news);
    }
    void operator()(const sync_request& m) {
        head(kind::sync_request);
        put_optional(m.sender);
        put_all(m.buckets, [this](std::uint64_t sum) { out_.u64(sum); });
    }
    void operator()(const sync_digest& m) {
        head(kind::sync_digest);
        put_optional(m.sender);
        out_.u32(m.bucket_count);
        put_all(m.differing, [this](std::uint16_t bucket) { out_.u16(bucket); });
        put_all(m.entries, [this](const digest_entry& one) {
            out_.raw(one.id.bytes);
            out_.u64(one.incarnation);
            out_.u8(static_cast<std::uint8_t>(one.state));
        });
    }
    void operator()(const sync_records& m) {
        head(kind::sync_records);
        put_all(present(m.records), [this](const shared_record& one) { put(*one); });
        put_all(m.accusations, [this](const accusation& one) { put(one); });
        put_all(m.wanted, [this](const node_id& id) { out_.raw(id.bytes); });
    }

  private:
    template <class T, class F>
    void put_all(const std::vector<T>& all, F put_one) {
        out_.u16(static_cast<std::uint16_t>(all.size()));
        for (const T& one : all) {
            put_one(one);
        }
    }

    static std::vector<shared_record> present(const std::vector<shared_record>& all) {
        std::vector<shared_record> out;
        std::copy_if(all.begin(), all.end(), std::back_inserter(out), [](const auto& one) { return one != nullptr; });
        return out;
    }

    void put(const record& r) {
        out_.raw(r.id.bytes);
        out_.u64(r.incarnation);
        out_.u8(static_cast<std::uint8_t>(r.kind));
        out_.blob(as_octets(r.payload));
        out_.blob(as_octets(r.signature));
    }

    void put(const accusation& a) {
        out_.raw(a.subject.bytes);
        out_.u64(a.incarnation);
        out_.u8(static_cast<std::uint8_t>(a.kind));
        out_.raw(a.accuser.bytes);
    }

    void put_optional(const shared_record& r) {
        out_.u8(r ? 1 : 0);
        if (r) {
            put(*r);
        }
    }

    void put(const news& n) {
        put_all(present(n.records), [this](const shared_record& one) { put(*one); });
        put_all(n.accusations, [this](const accusation& one) { put(one); });
    }

    wire::byte_writer out_;
};

class decoder {
  public:
    explicit decoder(std::span<const std::uint8_t> from) : from_(from) {}

    result<message> read() {
        auto out = read_body();
        if (out && (!sane_ || !from_.complete())) {
            return fail(wire::errc::malformed, "A membership message is damaged.");
        }
        return out;
    }

  private:
    result<message> read_body() {
        switch (static_cast<kind>(from_.u8())) {
            case kind::ping: {
                ping out;
                out.sequence = from_.u64();
                out.news = read_news();
                return message(std::move(out));
            }
            case kind::ping_req: {
                ping_req out;
                out.sequence = from_.u64();
                out.target = read_id();
                out.news = read_news();
                return message(std::move(out));
            }
            case kind::ack: {
                ack out;
                out.sequence = from_.u64();
                out.news = read_news();
                return message(std::move(out));
            }
            case kind::nack: return message(nack{.sequence = from_.u64()});
            case kind::gossip: return message(gossip{.news = read_news()});
            case kind::sync_request: return message(read_sync_request());
            case kind::sync_digest: return message(read_sync_digest());
            case kind::sync_records: return message(read_sync_records());
        }
        return fail(wire::errc::unsupported, "A membership message is of a kind that is not known here.");
    }

    sync_request read_sync_request() {
        sync_request out;
        out.sender = read_optional();
        out.buckets = read_all<std::uint64_t>(sync_buckets, [this] { return from_.u64(); });
        return out;
    }

    sync_digest read_sync_digest() {
        sync_digest out;
        out.sender = read_optional();
        out.bucket_count = from_.u32();
        out.differing = read_all<std::uint16_t>(sync_buckets, [this] { return from_.u16(); });
        out.entries = read_all<digest_entry>(max_listed, [this] {
            digest_entry one;
            one.id = read_id();
            one.incarnation = from_.u64();
            one.state = read_enum(member_state::left);
            return one;
        });
        return out;
    }

    sync_records read_sync_records() {
        sync_records out;
        out.records = read_all<shared_record>(max_listed, [this] { return read_record(); });
        out.accusations = read_all<accusation>(max_listed, [this] { return read_accusation(); });
        out.wanted = read_all<node_id>(max_listed, [this] { return read_id(); });
        return out;
    }

    news read_news() {
        news out;
        out.records = read_all<shared_record>(max_news_per_message, [this] { return read_record(); });
        out.accusations = read_all<accusation>(max_news_per_message, [this] { return read_accusation(); });
        return out;
    }

    /// Memory is taken for what has arrived, never for what is announced.
    template <class T, class F>
    std::vector<T> read_all(std::size_t at_most, F read_one) {
        const std::size_t count = from_.u16();
        sane_ = sane_ && count <= at_most;
        std::vector<T> out;
        for (std::size_t i = 0; i < count && sane_ && from_.ok(); ++i) {
            out.push_back(read_one());
        }
        return out;
    }

    node_id read_id() {
        node_id out;
        from_.raw(out.bytes);
        return out;
    }

    /// `last`: the highest value that there is.
    template <class E>
    E read_enum(E last) {
        const std::uint8_t value = from_.u8();
        sane_ = sane_ && value <= static_cast<std::uint8_t>(last);
        return static_cast<E>(std::min(value, static_cast<std::uint8_t>(last)));
    }

    shared_record read_record() {
        record out;
        out.id = read_id();
        out.incarnation = from_.u64();
        out.kind = read_enum(record_kind::left);
        out.payload = as_byte_string(from_.blob(max_payload_bytes));
        out.signature = as_byte_string(from_.blob(max_signature_bytes));
        return std::make_shared<const record>(std::move(out));
    }

    shared_record read_optional() {
        const std::uint8_t present = from_.u8();
        sane_ = sane_ && present <= 1;
        return present == 1 ? read_record() : nullptr;
    }

    accusation read_accusation() {
        accusation out;
        out.subject = read_id();
        out.incarnation = from_.u64();
        out.kind = read_enum(claim::dead);
        out.accuser = read_id();
        return out;
    }

    wire::byte_reader from_;
    bool sane_ = true;
};

}  // namespace

wire::bytes encode(const membership::message& from) {
    encoder out;
    std::visit(out, from);
    return out.take();
}

result<membership::message> decode_message(std::span<const std::uint8_t> from) {
    if (from.size() > 2 * max_sync_bytes) {
        return fail(wire::errc::too_large, "A membership message is too large.");
    }
    return decoder(from).read();
}

}  // namespace starling::peers

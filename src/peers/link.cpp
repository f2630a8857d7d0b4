#include "peers/link.hpp"

#include "aio/pause.hpp"
#include "wire/base64url.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <utility>

namespace starling::peers {

namespace json = boost::json;
using transport::message_stream;
using transport::steady_time;

namespace {

constexpr auto opening_time = std::chrono::seconds(30);                // for a stream to say what it is
constexpr auto slow_reader_time = std::chrono::seconds(30);            // for a member to take what it asked for
constexpr auto least_between_status = std::chrono::milliseconds(100);  // however much happens here
constexpr auto least_between_tries = std::chrono::seconds(1);          // where the other side ends our stream
constexpr std::size_t max_large_waiting = 16;                          // syncs; a lost one is repeated by membership
constexpr std::size_t max_opening_bytes = 4096;  // of our own kinds of streams but one; what is longer is a request
/// Streams whose first message is on its way. Each may hold a message of 16 MiB; a member that stalls holds up itself.
constexpr std::size_t max_openings = 32;
constexpr std::size_t max_same_streams = 4;  // for status, and for gossip: one, and those that a member has given up
constexpr std::size_t max_gossip_bytes = 2 * membership::max_sync_bytes;  // a sync with its framing

steady_time from_now(std::chrono::seconds time) {
    return std::chrono::steady_clock::now() + time;
}

std::string_view text_of(const wire::bytes& from) {
    return {reinterpret_cast<const char*>(from.data()), from.size()};
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string revocations_json(const std::vector<admission::revocation>& revoked) {
    json::array list;
    for (const admission::revocation& one : revoked) {
        list.push_back(json::value(wire::to_base64url(admission::encode(one))));
    }
    return json::serialize(json::object{{"type", "revocations"}, {"list", std::move(list)}});
}

std::vector<admission::revocation> read_revocations(const json::value& from) {
    std::vector<admission::revocation> out;
    const auto* list = wire::array_member(from, "list");
    for (std::size_t i = 0; list != nullptr && i < list->size() && i < admission::max_revocations; ++i) {
        const auto* text = (*list)[i].if_string();
        const auto bytes = text == nullptr ? std::nullopt : wire::from_base64url(*text);
        if (!bytes) {
            continue;
        }
        if (auto one = admission::parse_revocation(*bytes)) {
            out.push_back(std::move(*one));
        }
    }
    return out;
}

/// Counts a coroutine for as long as it runs.
class counted {
  public:
    explicit counted(std::size_t& in, aio::wake_up* after = nullptr) : in_(in), after_(after) { ++in_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() {
        --in_;
        if (after_ != nullptr) {
            after_->notify();
        }
    }

  private:
    std::size_t& in_;
    aio::wake_up* after_;
};

/// Requests can be long and are read by whoever answers them.
bool may_be_ours(std::string_view opening) {
    constexpr std::string_view list = R"({"type":"revocations")";
    return opening.size() <= max_opening_bytes || opening.starts_with(list);
}

}  // namespace

link::link(boost::asio::any_io_executor network, std::shared_ptr<transport::connection> on, acquaintance who,
           const link_hooks& hooks, status_feed& feed)
    : on_(std::move(on)),
      who_(std::move(who)),
      hooks_(hooks),
      feed_(feed),
      has_large_(network),
      opening_done_(std::move(network)) {}

awaitable<void> link::run(aio::task_scope* tasks) {
    const auto self = shared_from_this();
    tasks->spawn(run_datagram_loop());
    tasks->spawn(run_gossip_loop());
    tasks->spawn(run_status_loop());
    for (;;) {
        if (openings_ >= max_openings) {
            co_await opening_done_.wait_until(steady_time::max());
            continue;
        }
        auto opened = co_await on_->accept(steady_time::max());
        if (!opened) {
            break;
        }
        tasks->spawn(answer(std::move(*opened)));
    }
    has_large_.notify();
    feed_.changed.notify();
}

void link::send(wire::bytes message, message_size size) {
    if (size == message_size::datagram && message.size() <= transport::max_datagram_bytes) {
        static_cast<void>(on_->send_datagram(message));
    } else if (large_.size() < max_large_waiting) {
        large_.push_back(std::move(message));
        has_large_.notify();
    }
}

void link::tell(aio::task_scope& tasks, const std::vector<admission::revocation>& revoked) {
    if (!revoked.empty()) {
        tasks.spawn(tell_revocations(revocations_json(revoked)));
    }
}

std::size_t link::requests() const {
    const std::size_t others = own_streams_ + told_streams_ + gossip_streams_;
    const std::size_t all = on_->facts().streams;
    return all > others ? all - others : 0;
}

awaitable<void> link::run_datagram_loop() {
    const auto self = shared_from_this();
    for (;;) {
        auto got = co_await on_->receive_datagram(steady_time::max());
        if (!got) {
            co_return;
        }
        hooks_.on_gossip(on_->peer(), *got);
    }
}

awaitable<std::optional<message_stream>> link::begin(std::string opening, std::size_t limit) {
    auto opened = co_await on_->open(from_now(slow_reader_time));
    if (!opened) {
        co_return std::nullopt;
    }
    message_stream stream(std::move(*opened), limit);
    auto begun = co_await stream.send(std::move(opening), from_now(slow_reader_time));
    if (!begun) {
        co_return std::nullopt;
    }
    co_return stream;
}

awaitable<void> link::run_gossip_loop() {
    const auto self = shared_from_this();
    std::optional<message_stream> stream;
    std::optional<counted> here;
    while (!ended()) {
        if (large_.empty()) {
            co_await has_large_.wait_until(steady_time::max());
            continue;
        }
        if (!stream) {
            stream = co_await begin(R"({"type":"gossip"})", max_gossip_bytes);
        }
        if (!stream) {
            co_await aio::pause(least_between_tries);
            continue;
        }
        if (!here) {
            here.emplace(own_streams_);
        }
        std::string next(text_of(large_.front()));
        large_.pop_front();
        auto sent = co_await stream->send(std::move(next), from_now(slow_reader_time));
        if (!sent) {
            stream.reset();
            here.reset();
        }
    }
}

awaitable<void> link::run_status_loop() {
    const auto self = shared_from_this();
    while (!ended()) {
        auto stream = co_await begin(R"({"type":"status"})", max_status_bytes);
        if (stream) {
            const counted here(own_streams_);
            co_await take_status(std::move(*stream));
        }
        if (!ended()) {
            co_await aio::pause(least_between_tries);
        }
    }
}

awaitable<void> link::take_status(message_stream stream) {
    for (;;) {
        auto told = co_await stream.receive(steady_time::max());
        if (!told) {
            co_return;
        }
        auto parsed = parse_status(*told);
        if (parsed) {
            status_ = std::move(*parsed);
            hooks_.on_status(on_->peer());
        }
    }
}

awaitable<result<std::string>> link::read_opening(message_stream* from) {
    const counted here(openings_, &opening_done_);
    auto first = co_await from->receive(from_now(opening_time));
    co_return first;
}

awaitable<void> link::answer(std::unique_ptr<transport::stream> opened) {
    const auto self = shared_from_this();
    message_stream stream(std::move(opened));
    auto first = co_await read_opening(&stream);
    if (!first) {
        co_return;
    }
    const json::value opening = may_be_ours(*first) ? wire::parse_or_null(*first) : json::value();
    const auto type = opening.is_object() ? wire::string_member(opening, "type") : std::string_view();
    if (type == "status") {
        co_await answer_status(std::move(stream));
    } else if (type == "gossip") {
        co_await take_gossip(std::move(stream));
    } else if (type == "revocations") {
        hooks_.on_revocations(on_->peer(), read_revocations(opening));
    } else {
        co_await hooks_.serve(std::move(stream), std::move(*first), on_->peer());
    }
}

awaitable<void> link::answer_status(message_stream stream) {
    if (told_streams_ >= max_same_streams) {
        co_return;
    }
    const counted here(told_streams_);
    std::uint64_t told = 0;
    while (!ended()) {
        if (feed_.version == told) {
            co_await feed_.changed.wait_until(steady_time::max());
            continue;
        }
        told = feed_.version;
        auto sent = co_await stream.send(feed_.text, from_now(slow_reader_time));
        if (!sent) {
            co_return;
        }
        co_await aio::pause(least_between_status);
    }
}

awaitable<void> link::take_gossip(message_stream stream) {
    if (gossip_streams_ >= max_same_streams) {
        co_return;
    }
    const counted here(gossip_streams_);
    stream.take_at_most(max_gossip_bytes);
    for (;;) {
        auto got = co_await stream.receive(steady_time::max());
        if (!got) {
            co_return;
        }
        hooks_.on_gossip(on_->peer(), bytes_of(*got));
    }
}

awaitable<void> link::tell_revocations(std::string message) {
    const auto self = shared_from_this();
    auto opened = co_await on_->open(from_now(slow_reader_time));
    if (!opened) {
        co_return;
    }
    message_stream stream(std::move(*opened));
    auto sent = co_await stream.send(std::move(message), from_now(slow_reader_time));
    stream.finish();
    // The other side has read it when it ends its own direction.
    auto end = co_await stream.receive(from_now(slow_reader_time));
    static_cast<void>(sent);
    static_cast<void>(end);
}

}  // namespace starling::peers

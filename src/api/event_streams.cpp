#include "api/event_streams.hpp"

#include "api/asking_control.hpp"
#include "api/asking_view.hpp"
#include "api/event_feed.hpp"
#include "api/log_view.hpp"
#include "api/sharing_control.hpp"
#include "openai/errc.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <memory>

namespace starling::api {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds look_every{1};
constexpr std::chrono::seconds sign_every{15};  // proxies cut silent connections
constexpr std::string_view sign_of_life = ": still here\n\n";

/// Moves `next` past what is told.
void tell_log(std::string& out, log_view& log, std::uint64_t& next) {
    json::array lines;
    for (log_line& line : log.lines_from(next)) {
        next = line.seq + 1;
        lines.push_back(json::object{{"seq", line.seq},
                                     {"time", std::move(line.time)},
                                     {"level", std::move(line.level)},
                                     {"message", std::move(line.message)}});
    }
    if (!lines.empty()) {
        append_event(out, "log", json::serialize(json::object{{"lines", std::move(lines)}}));
    }
}

}  // namespace

/// What every reader may see, as it was at one moment.
struct event_streams::picture {
    explicit picture(const node_view& view, const sharing_view* shared, steady_clock::time_point now)
        : at(now),
          status(view.status_json(), "uptime_s"),
          peers(rows_by("node_id", view.peers_json())),
          deployments(view.deployments_json()),
          models(view.models_json()),
          sharing(sharing_json(shared)) {}

    steady_clock::time_point at;
    event_text status;
    event_rows peers;
    event_text deployments;
    event_text models;
    event_text sharing;
};

event_streams::event_streams(boost::asio::any_io_executor network, const node_facts& facts, const node_view& view)
    : facts_(facts), view_(view), stopped_(std::move(network)) {}

event_streams::~event_streams() = default;

void event_streams::stop() {
    stopping_ = true;
    stopped_.notify();
}

const event_streams::picture& event_streams::look() {
    const auto now = steady_clock::now();
    if (!last_look_ || now >= last_look_->at + look_every) {
        last_look_ = std::make_unique<const picture>(view_, facts_.sharing, now);
    }
    return *last_look_;
}

boost::asio::awaitable<void> event_streams::serve(call& call, event_wish wish) {
    if (readers_ >= max_readers) {
        call.send_error(fail(openai::errc::too_many_connections,
                             fmt::format("{} pages look at this node already. Close one of them.", max_readers)));
        co_return;
    }
    ++readers_;
    const std::shared_ptr<void> at_end(nullptr, [this](void*) { --readers_; });
    call.begin_events();
    event_feed feed;
    std::string out;
    std::uint64_t next_line = 0;
    auto said_at = steady_clock::now();
    append_event(out, "hello",
                 json::serialize(json::object{{"version", facts_.version},
                                              {"node_id", facts_.node_id},
                                              {"name", facts_.name},
                                              {"may_change", wish.may_change}}));
    const bool is_read = call.entry.method != "HEAD";
    while (is_read && !stopping_) {
        const picture& seen = look();
        const auto look_again = seen.at + look_every;
        feed.whole(out, "status", seen.status);
        feed.rows(out, "peers", seen.peers);
        feed.whole(out, "deployments", seen.deployments);
        feed.whole(out, "models", seen.models);
        feed.whole(out, "sharing", seen.sharing);
        if (wish.may_change && facts_.asking != nullptr) {
            feed.whole(out, "requests", event_text(requests_json(*facts_.asking)));
            feed.whole(out, "asking", event_text(own_request_json(*facts_.asking)));
        }
        if (wish.may_change && wish.logs && facts_.log != nullptr) {
            tell_log(out, *facts_.log, next_line);
        }
        const auto now = steady_clock::now();
        if (out.empty() && now - said_at >= sign_every) {
            out = sign_of_life;
        }
        if (!out.empty()) {
            call.writer.write(out);
            out.clear();
            said_at = now;
        }
        if (call.writer.behind()) {
            co_await call.writer.drained();
        }
        co_await stopped_.wait_until(look_again);
    }
    call.writer.end();
}

}  // namespace starling::api

#include "http/server.hpp"
#include "aio/pause.hpp"
#include "aio/task_scope.hpp"
#include "api/about.hpp"
#include "api/access_policy.hpp"
#include "api/api.hpp"
#include "api/asking_control.hpp"
#include "api/call.hpp"
#include "api/console_files.hpp"
#include "api/event_streams.hpp"
#include "api/inference.hpp"
#include "api/load_history.hpp"
#include "api/local_user.hpp"
#include "api/mesh_control.hpp"
#include "api/mesh_view.hpp"
#include "api/metrics.hpp"
#include "api/model_control.hpp"
#include "api/node_view.hpp"
#include "api/sharing_control.hpp"
#include "api/start_page.hpp"
#include "base/unix_time.hpp"
#include "openai/errc.hpp"

#include <fmt/format.h>
#include <boost/asio/error.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cctype>
#include <random>

namespace starling::api {

namespace json = boost::json;

namespace {

constexpr int client_left = 499;  // in logs and metrics only
constexpr std::size_t max_request_id = 128;
constexpr std::size_t max_logged_path = 256;

std::function<std::uint64_t()> or_system_random(std::function<std::uint64_t()> given) {
    if (given) {
        return given;
    }
    return [device = std::make_shared<std::random_device>()] {
        return (static_cast<std::uint64_t>((*device)()) << 32) | (*device)();
    };
}

/// A client may name its request; anything that could break a log or a header is replaced by an id of ours.
bool is_request_id(std::string_view id) {
    return !id.empty() && id.size() <= max_request_id && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

bool is_json_type(std::string_view type) {
    std::string lower(type.substr(0, type.find(';')));
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    while (!lower.empty() && lower.back() == ' ') {
        lower.pop_back();
    }
    // curl -d says x-www-form-urlencoded when it is told nothing; what it sends is JSON all the same.
    return lower.empty() || lower == "application/json" || lower.ends_with("+json") ||
           lower == "application/x-www-form-urlencoded";
}

}  // namespace

class server::impl final : public http::handler {
  public:
    impl(boost::asio::any_io_executor network, options options, route::model_table& models, node_facts facts,
         access_sink log)
        : options_(std::move(options)),
          facts_(std::move(facts)),
          log_(std::move(log)),
          random_(or_system_random(facts_.random)),
          control_keys_{facts_.control_token, facts_.console_token, options_.api_keys},
          models_(models),
          inference_(options_, models, facts_.mesh, metrics_, random_),
          view_(facts_, models, metrics_),
          console_(options_.console ? facts_.console : std::span<const std::byte>()),
          events_(network, facts_, view_),
          tasks_(network),
          http_(std::move(network), options_.limits, *this) {}

    result<std::uint16_t> start();
    http::awaitable<void> stop();

    std::optional<http::response> refuse(const http::request& head) override;
    http::awaitable<void> handle(http::request request, http::response_writer& writer) override;
    http::response describe_error(int status, std::string_view what) override;

  private:
    const route_entry& route_of(const http::request& head) const;
    std::optional<error> find_access_fault(const http::request& head, const route_entry& route,
                                           origin_verdict origin) const;
    std::optional<error> find_session_fault(const http::request& head, origin_verdict origin) const;
    bool may_change(const http::header_list& headers) const;
    std::optional<error> find_fault(const http::request& head, const route_entry& route, origin_verdict origin) const;
    std::optional<error> find_body_fault(const http::request& head, const route_entry& route) const;
    http::header_list common_headers(const std::string& request_id) const;
    std::string request_id(const http::header_list& headers);
    void record(call& call);
    http::awaitable<void> dispatch(call& call, http::request request);
    void answer_page(call& call, const http::request& request) const;
    void answer_history(call& call, std::string_view query) const;
    http::awaitable<void> run_history_loop();

    options options_;
    node_facts facts_;
    access_sink log_;
    std::function<std::uint64_t()> random_;
    control_keys control_keys_;
    metrics metrics_;
    route::model_table& models_;
    inference inference_;
    node_view view_;
    console_files console_;
    load_history history_;
    event_streams events_;
    aio::task_scope tasks_;
    http::server http_;
};

result<std::uint16_t> server::impl::start() {
    auto port = http_.start(options_.bind, options_.port);
    if (port) {
        tasks_.spawn(run_history_loop());
    }
    return port;
}

http::awaitable<void> server::impl::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    events_.stop();
    co_await http_.stop();
}

http::awaitable<void> server::impl::run_history_loop() {
    for (;;) {
        history_.add(unix_time_s(), view_.all_peers());
        co_await aio::pause(load_history::interval);
    }
}

const route_entry& server::impl::route_of(const http::request& head) const {
    const auto& route = find_route(head.path, head.method);
    const bool is_read = head.method == "GET" || head.method == "HEAD";
    return route.endpoint == endpoint::unknown && is_read && console_.has(head.path) ? route_of_files() : route;
}

std::string server::impl::request_id(const http::header_list& headers) {
    const auto offered = http::find_header(headers, "x-request-id");
    return is_request_id(offered) ? std::string(offered) : fmt::format("req-{:016x}", random_());
}

http::header_list server::impl::common_headers(const std::string& request_id) const {
    return {{"x-starling-node", facts_.node_id}, {"x-request-id", request_id}};
}

bool server::impl::may_change(const http::header_list& headers) const {
    return opens_control(control_keys_, bearer_token(headers), judge_origin(options_.cors_origins, headers));
}

/// A page says where it comes from with every POST; and the browser must be one of our own user's, on this machine.
std::optional<error> server::impl::find_session_fault(const http::request& head, origin_verdict origin) const {
    if (facts_.console_token.empty()) {
        return fail(openai::errc::invalid_api_key, "This node is changed from its command line alone.");
    }
    if (origin != origin_verdict::same_site) {
        return fail(openai::errc::origin_not_allowed, "Only this node's own pages are let change things.");
    }
    if (options_.api_keys.empty() && !is_own_user(head.client, head.server)) {
        return fail(openai::errc::origin_not_allowed,
                    "This page may only look: changes are for a browser on the same machine, of the user who runs the "
                    "node, or for whoever has an API key (--api-key-file).");
    }
    return std::nullopt;
}

std::optional<error> server::impl::find_access_fault(const http::request& head, const route_entry& route,
                                                     origin_verdict origin) const {
    if (options_.api_keys.empty() && !is_local_host(http::find_header(head.headers, "host"))) {
        return fail(
            openai::errc::origin_not_allowed,
            "This node asks for no API key, so it answers only to IP addresses and localhost in the Host header. "
            "Use one of those, or start it with --api-key-file.");
    }
    if (origin == origin_verdict::not_allowed && head.method != "GET" && head.method != "HEAD") {
        return fail(openai::errc::origin_not_allowed,
                    fmt::format("Pages of {} may not use this node. Allow them with --cors-origin.",
                                http::find_header(head.headers, "origin").substr(0, max_logged_path)));
    }
    if (route.who == access::control && !may_change(head.headers)) {
        return fail(openai::errc::invalid_api_key,
                    fmt::format("{} wants the control token of this node, which is in node.json in its data directory "
                                "(`starling invite`, `starling peers` and `starling plan` send it), or an API key of a "
                                "node that asks for one.",
                                route.path));
    }
    const bool wants_key = route.who == access::api_key || route.who == access::session;
    if (!options_.api_keys.empty() && wants_key && !is_known_key(options_.api_keys, bearer_token(head.headers)) &&
        !may_change(head.headers)) {
        return fail(openai::errc::invalid_api_key,
                    bearer_token(head.headers).empty()
                        ? "This node asks for an API key. Send it as 'Authorization: Bearer KEY'."
                        : "The API key is not one of this node's keys.");
    }
    return route.who == access::session ? find_session_fault(head, origin) : std::nullopt;
}

std::optional<error> server::impl::find_fault(const http::request& head, const route_entry& route,
                                              origin_verdict origin) const {
    if (auto fault = find_access_fault(head, route, origin)) {
        return fault;
    }
    const bool is_hidden = route.endpoint == endpoint::console && !options_.console;
    if (route.endpoint == endpoint::unknown || is_hidden) {
        return fail(openai::errc::unknown_route,
                    fmt::format("There is nothing at {} {}.", head.method, head.path.substr(0, max_logged_path)));
    }
    if (head.method != route.method && !(route.method == "GET" && head.method == "HEAD")) {
        return fail(openai::errc::wrong_method,
                    fmt::format("{} takes {}, not {}.", route.path, methods_of(head.path), head.method));
    }
    return find_body_fault(head, route);
}

std::optional<error> server::impl::find_body_fault(const http::request& head, const route_entry& route) const {
    if (route.method != "POST") {
        return std::nullopt;
    }
    if (!is_json_type(http::find_header(head.headers, "content-type"))) {
        return fail(openai::errc::wrong_media_type,
                    fmt::format("{} takes application/json, not '{}'.", route.path,
                                http::find_header(head.headers, "content-type").substr(0, max_logged_path)));
    }
    const auto coding = http::find_header(head.headers, "content-encoding");
    if (!coding.empty() && coding != "identity") {
        return fail(openai::errc::wrong_media_type, "Request bodies must be sent without a content-encoding.");
    }
    return std::nullopt;
}

std::optional<http::response> server::impl::refuse(const http::request& head) {
    const auto& route = route_of(head);
    const auto origin = judge_origin(options_.cors_origins, head.headers);
    const bool is_preflight = head.method == "OPTIONS" && origin == origin_verdict::allowed;
    std::optional<error> fault;
    if (!is_preflight) {
        fault = find_fault(head, route, origin);
        if (!fault) {
            return std::nullopt;
        }
    }
    const auto id = request_id(head.headers);
    auto headers = common_headers(id);
    http::response answer;
    if (is_preflight) {
        auto cors = preflight_headers(head.headers);
        headers.insert(headers.end(), cors.begin(), cors.end());
        answer = http::response{204, std::move(headers), ""};
    } else {
        if (origin == origin_verdict::allowed) {
            auto cors = cors_headers(http::find_header(head.headers, "origin"));
            headers.insert(headers.end(), cors.begin(), cors.end());
        }
        if (*fault == openai::errc::wrong_method) {
            headers.emplace_back("allow",
                                 methods_of(head.path) + (route.method == "GET" ? ", HEAD, OPTIONS" : ", OPTIONS"));
        }
        answer = error_response(*fault, {}, std::move(headers));
    }
    metrics_.request_answered(route.path, answer.status, 0.0);
    if (log_) {
        log_(access_entry{id, head.method, head.path.substr(0, max_logged_path), answer.status, 0.0, "", 0, 0,
                          fault ? fault->message : ""});
    }
    return answer;
}

http::awaitable<void> server::impl::handle(http::request request, http::response_writer& writer) {
    const auto id = request_id(request.headers);
    call call{{}, route_of(request), std::chrono::steady_clock::now(), common_headers(id), writer};
    call.entry.request_id = id;
    call.entry.method = request.method;
    call.entry.path = request.path.substr(0, max_logged_path);
    call.entry.status = client_left;
    if (judge_origin(options_.cors_origins, request.headers) == origin_verdict::allowed) {
        auto cors = cors_headers(http::find_header(request.headers, "origin"));
        call.headers.insert(call.headers.end(), cors.begin(), cors.end());
    }
    // Also told when the coroutine is cancelled in the middle.
    const std::shared_ptr<void> at_end(nullptr, [this, &call](void*) { record(call); });
    std::string failure;
    try {
        co_await dispatch(call, std::move(request));
    } catch (const boost::system::system_error& e) {
        if (e.code() == boost::asio::error::operation_aborted) {
            call.entry.status = client_left;
            call.entry.detail = "the client left before the answer was complete";
            throw;
        }
        failure = e.what();
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) {
        if (!writer.started()) {
            call.send_error(fail(engine::errc::internal, failure));
        }
        call.entry.status = 500;
        call.entry.detail = failure;
    }
}

http::awaitable<void> server::impl::dispatch(call& call, http::request request) {
    switch (call.route.endpoint) {
        case endpoint::chat_completions: co_await inference_.chat(call, std::move(request.body)); break;
        case endpoint::completions: co_await inference_.completions(call, std::move(request.body)); break;
        case endpoint::embeddings: co_await inference_.embeddings(call, std::move(request.body)); break;
        case endpoint::models: view_.models(call); break;
        case endpoint::model: view_.model(call, model_in_path(request.path)); break;
        case endpoint::health: view_.health(call); break;
        case endpoint::metrics: view_.metrics_text(call, http_.connections()); break;
        case endpoint::status: view_.status(call); break;
        case endpoint::peers: view_.peers(call); break;
        case endpoint::deployments: view_.deployments(call); break;
        case endpoint::invites: answer_invite(call, facts_.mesh, request.body); break;
        case endpoint::revocations: answer_revocation(call, facts_.mesh, request.body); break;
        case endpoint::plan: co_await answer_plan(call, facts_.mesh, std::move(request.body)); break;
        case endpoint::requests: answer_requests(call, facts_.asking); break;
        case endpoint::request_decision: answer_decision(call, facts_.asking, request.body); break;
        case endpoint::asking: answer_own_request(call, facts_.asking); break;
        case endpoint::asking_answer: answer_confirmation(call, facts_.asking, request.body); break;
        case endpoint::sharing: answer_sharing(call, facts_.sharing); break;
        case endpoint::sharing_wish: answer_sharing_wish(call, facts_.sharing, request.body); break;
        case endpoint::about: answer_about(call, facts_.about); break;
        case endpoint::model_rows: co_await answer_model_rows(call, models_, facts_.mesh, facts_.shelf); break;
        case endpoint::model_wish: co_await answer_model_wish(call, facts_.shelf, std::move(request.body)); break;
        case endpoint::session: call.send_json(json::serialize(json::object{{"token", facts_.console_token}})); break;
        case endpoint::events: {
            const event_wish wish{.may_change = may_change(request.headers),
                                  .logs = request.query.find("logs=1") != std::string::npos};
            co_await events_.serve(call, wish);
            break;
        }
        case endpoint::history: answer_history(call, request.query); break;
        case endpoint::console: answer_page(call, request); break;
        case endpoint::unknown: break;  // refused before its body was read
    }
}

void server::impl::answer_page(call& call, const http::request& request) const {
    if (console_.empty()) {
        call.headers.emplace_back("content-security-policy", start_page_policy);
        call.send(200, "text/html; charset=utf-8", std::string(start_page_html));
        return;
    }
    auto answer = console_.answer(request.path, request.headers);
    answer.headers.insert(answer.headers.end(), call.headers.begin(), call.headers.end());
    call.entry.status = answer.status;
    call.writer.send(std::move(answer));
}

/// ?node_id=ID; without one of this node.
void server::impl::answer_history(call& call, std::string_view query) const {
    constexpr std::string_view name = "node_id=";
    const bool is_asked = query.starts_with(name);
    const std::string_view node_id =
        is_asked ? query.substr(name.size(), query.find('&') - name.size()) : facts_.node_id;
    const auto* samples = history_.of(node_id);
    if (samples == nullptr) {
        call.send_error(fail(openai::errc::unknown_route, "Nothing is known of how the load of that node was."));
        return;
    }
    json::array rows;
    for (const load_sample& one : *samples) {
        rows.push_back(json::array{one.unix_s, one.cpu, one.memory, one.queue, one.score,
                                   one.rtt_ms < 0.0F ? json::value(nullptr) : json::value(one.rtt_ms)});
    }
    call.send_json(json::serialize(json::object{
        {"node_id", node_id}, {"interval_s", load_history::interval.count()}, {"samples", std::move(rows)}}));
}

void server::impl::record(call& call) {
    const double seconds = call.seconds_so_far();
    metrics_.request_answered(call.route.path, call.entry.status, seconds);
    if (log_) {
        call.entry.duration_ms = seconds * 1000.0;
        log_(call.entry);
    }
}

http::response server::impl::describe_error(int status, std::string_view what) {
    const auto code = [&]() -> error {
        switch (status) {
            case 413: return fail(openai::errc::body_too_large, std::string(what));
            case 431: return fail(openai::errc::headers_too_large, std::string(what));
            case 503: return fail(openai::errc::too_many_connections, std::string(what));
            case 400: return fail(openai::errc::malformed_http, std::string(what));
            default: return fail(engine::errc::internal, std::string(what));
        }
    }();
    auto answer = error_response(code, {}, common_headers(request_id({})));
    metrics_.request_answered("unknown", answer.status, 0.0);
    return answer;
}

server::server(boost::asio::any_io_executor network, options options, route::model_table& models, node_facts facts,
               access_sink log)
    : impl_(std::make_unique<impl>(std::move(network), std::move(options), models, std::move(facts), std::move(log))) {}

server::~server() = default;

result<std::uint16_t> server::start() {
    return impl_->start();
}

boost::asio::awaitable<void> server::stop() {
    return impl_->stop();
}

}  // namespace starling::api

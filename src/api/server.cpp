#include "http/server.hpp"
#include "api/about.hpp"
#include "api/access_policy.hpp"
#include "api/api.hpp"
#include "api/asking_control.hpp"
#include "api/call.hpp"
#include "api/inference.hpp"
#include "api/mesh_control.hpp"
#include "api/mesh_view.hpp"
#include "api/metrics.hpp"
#include "api/node_view.hpp"
#include "api/sharing_control.hpp"
#include "api/start_page.hpp"
#include "openai/errc.hpp"

#include <fmt/format.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cctype>
#include <random>

namespace starling::api {

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
          inference_(options_, models, facts_.mesh, metrics_, random_),
          view_(facts_, models, metrics_),
          http_(std::move(network), options_.limits, *this) {}

    result<std::uint16_t> start() { return http_.start(options_.bind, options_.port); }
    http::awaitable<void> stop() { return http_.stop(); }

    std::optional<http::response> refuse(const http::request& head) override;
    http::awaitable<void> handle(http::request request, http::response_writer& writer) override;
    http::response describe_error(int status, std::string_view what) override;

  private:
    std::optional<error> find_fault(const http::request& head, const route_entry& route, origin_verdict origin) const;
    std::optional<error> find_body_fault(const http::request& head, const route_entry& route) const;
    http::header_list common_headers(const std::string& request_id) const;
    std::string request_id(const http::header_list& headers);
    void record(call& call);
    http::awaitable<void> dispatch(call& call, http::request request);

    options options_;
    node_facts facts_;
    access_sink log_;
    std::function<std::uint64_t()> random_;
    metrics metrics_;
    inference inference_;
    node_view view_;
    http::server http_;
};

std::string server::impl::request_id(const http::header_list& headers) {
    const auto offered = http::find_header(headers, "x-request-id");
    return is_request_id(offered) ? std::string(offered) : fmt::format("req-{:016x}", random_());
}

http::header_list server::impl::common_headers(const std::string& request_id) const {
    return {{"x-starling-node", facts_.node_id}, {"x-request-id", request_id}};
}

std::optional<error> server::impl::find_fault(const http::request& head, const route_entry& route,
                                              origin_verdict origin) const {
    const bool is_read_only = head.method == "GET" || head.method == "HEAD";
    if (options_.api_keys.empty() && !is_local_host(http::find_header(head.headers, "host"))) {
        return fail(
            openai::errc::origin_not_allowed,
            "This node asks for no API key, so it answers only to IP addresses and localhost in the Host header. "
            "Use one of those, or start it with --api-key-file.");
    }
    if (origin == origin_verdict::not_allowed && !is_read_only) {
        return fail(openai::errc::origin_not_allowed,
                    fmt::format("Pages of {} may not use this node. Allow them with --cors-origin.",
                                http::find_header(head.headers, "origin").substr(0, max_logged_path)));
    }
    if (route.who == access::control_token &&
        (facts_.control_token.empty() || !is_known_key({facts_.control_token}, bearer_token(head.headers)))) {
        return fail(openai::errc::invalid_api_key,
                    fmt::format("{} wants the control token of this node, which is in node.json in its data directory; "
                                "`starling invite`, `starling peers` and `starling plan` send it.",
                                route.path));
    }
    if (!options_.api_keys.empty() && route.who == access::api_key &&
        !is_known_key(options_.api_keys, bearer_token(head.headers))) {
        return fail(openai::errc::invalid_api_key,
                    bearer_token(head.headers).empty()
                        ? "This node asks for an API key. Send it as 'Authorization: Bearer KEY'."
                        : "The API key is not one of this node's keys.");
    }
    const bool is_hidden = route.endpoint == endpoint::start_page && !options_.start_page;
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
    const auto& route = find_route(head.path, head.method);
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
    call call{
        {}, find_route(request.path, request.method), std::chrono::steady_clock::now(), common_headers(id), writer};
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
        case endpoint::start_page: call.send(200, "text/html; charset=utf-8", std::string(start_page_html)); break;
        case endpoint::unknown: break;  // refused before its body was read
    }
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

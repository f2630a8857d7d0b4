#include "sdk/connection.hpp"

#include "sdk/caller.hpp"
#include "sdk/failures.hpp"
#include "sdk/reply_codec.hpp"
#include "upstream/deadline.hpp"
#include "upstream/endpoint.hpp"

#include <utility>

namespace starling::sdk {

namespace {

constexpr int status_ok = 200;
/// An error body is a message; more of it is not read.
constexpr std::size_t max_error_body_bytes = std::size_t{64} * 1024;
/// Status and models of a node that knows thousands of others.
constexpr std::size_t max_body_bytes = std::size_t{8} * 1024 * 1024;
/// A node that waits writes a comment every 15 seconds, but an answer that waits for a worker has not begun yet.
constexpr std::chrono::milliseconds max_silence{300'000};

/// The node's address without "/v1": what its own endpoints begin with.
starling::result<std::string> root_of(std::string_view url) {
    while (url.ends_with('/')) {
        url.remove_suffix(1);
    }
    if (url.ends_with("/v1")) {
        url.remove_suffix(3);
    }
    if (auto base = upstream::api_base(url, "The node's URL"); !base) {
        return base.error();
    }
    return std::string(url);
}

/// `http` outlives the coroutine: its owner waits for it.
fetch::awaitable<starling::result<reply>> ask(fetch::client* http, fetch::request what, steady_time deadline) {
    auto response = co_await upstream::before(deadline, http->open(std::move(what)));
    if (!response) {
        co_return response.error();
    }
    reply out;
    out.status = (*response)->head().status;
    if (out.status == status_ok) {
        out.open = std::move(*response);
        co_return std::move(out);
    }
    // Why the node refused is worth nothing more than the refusal itself: without the reason it still counts.
    auto body = co_await upstream::before(deadline, fetch::read_all(**response, max_error_body_bytes));
    if (body) {
        out.body = std::move(*body);
    }
    co_return std::move(out);
}

fetch::awaitable<starling::result<reply>> ask_for_all(fetch::client* http, fetch::request what, steady_time deadline) {
    auto answer = co_await ask(http, std::move(what), deadline);
    if (!answer || !answer->open) {
        co_return std::move(answer);
    }
    auto body = co_await upstream::before(deadline, fetch::read_all(*answer->open, max_body_bytes));
    answer->open.reset();
    if (!body) {
        co_return body.error();
    }
    answer->body = std::move(*body);
    co_return std::move(answer);
}

}  // namespace

steady_time deadline_in(std::chrono::milliseconds from_now) {
    return from_now.count() <= 0 ? steady_time::max() : std::chrono::steady_clock::now() + from_now;
}

connection::connection(std::string root, const connect_options& to, std::unique_ptr<network_thread> network,
                       std::shared_ptr<void> node)
    : embedded_(std::move(node)),
      root_(std::move(root)),
      api_key_(to.api_key),
      timeout_(to.timeout),
      words_{.name = "The node at " + root_, .key_flag = {}, .secret = to.api_key},
      network_(std::move(network)) {}

outcome<std::shared_ptr<connection>> connection::open(const connect_options& to, std::shared_ptr<void> node) {
    auto root = root_of(to.url);
    if (!root) {
        return error{.kind = error_kind::invalid_request, .message = root.error().message};
    }
    auto network = network_thread::create();
    if (!network) {
        return error{.kind = error_kind::internal, .message = network.error().message};
    }
    std::shared_ptr<connection> out(new connection(std::move(*root), to, std::move(*network), std::move(node)));
    auto status = out->get("/api/status", deadline_in(to.timeout));
    if (!status) {
        return status.error();
    }
    auto info = parse_status(*status);
    if (!info) {
        return no_starling_node(out->words_);
    }
    out->info_ = std::move(*info);
    return out;
}

outcome<std::string> connection::get(std::string_view path, steady_time deadline) {
    caller waiting(network_->executor(), {});
    auto got = waiting.wait(ask_for_all(&network_->http(), request("GET", path, {}), deadline));
    if (!got) {
        return not_reached(got.error(), words_);
    }
    if (got->status != status_ok) {
        return refused(got->status, got->body, words_);
    }
    return std::move(got->body);
}

fetch::awaitable<starling::result<reply>> connection::post_chat(std::string body, steady_time deadline) {
    return ask(&network_->http(), request("POST", "/v1/chat/completions", std::move(body)), deadline);
}

fetch::request connection::request(std::string method, std::string_view path, std::string body) const {
    fetch::request out;
    out.method = std::move(method);
    out.url = root_ + std::string(path);
    if (!body.empty()) {
        out.headers.emplace_back("Content-Type", "application/json");
    }
    if (!api_key_.empty()) {
        out.headers.emplace_back("Authorization", "Bearer " + api_key_);
    }
    out.body = std::move(body);
    out.idle_timeout = max_silence;
    out.follow_redirects = false;  // a node sends nobody elsewhere
    return out;
}

}  // namespace starling::sdk

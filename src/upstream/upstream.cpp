#include "upstream/upstream.hpp"

#include "upstream/answer_codec.hpp"
#include "upstream/answer_stream.hpp"
#include "upstream/deadline.hpp"
#include "upstream/endpoint.hpp"
#include "upstream/request_codec.hpp"

#include <utility>

namespace starling::upstream {

namespace {

/// An error body is a message; more of it is not read.
constexpr std::size_t max_error_body_bytes = std::size_t{64} * 1024;
/// 2,048 inputs of 4,096 numbers, written out.
constexpr std::size_t max_embedding_body_bytes = std::size_t{256} * 1024 * 1024;
/// A public server lists a few thousand models.
constexpr std::size_t max_model_list_bytes = std::size_t{8} * 1024 * 1024;

constexpr int status_ok = 200;

server_words words_for(const options& settings) {
    return {
        .name = settings.title + " at " + settings.base_url, .key_flag = settings.key_flag, .secret = settings.api_key};
}

fetch::request make_request(const options& settings, std::string method, std::string_view path, std::string body) {
    fetch::request out;
    out.method = std::move(method);
    out.url = settings.base_url + std::string(path);
    if (!body.empty()) {
        out.headers.emplace_back("Content-Type", "application/json");
    }
    if (!settings.api_key.empty()) {
        out.headers.emplace_back("Authorization", "Bearer " + settings.api_key);
    }
    out.body = std::move(body);
    out.connect_timeout = settings.connect_timeout;
    out.idle_timeout = settings.idle_timeout;
    out.follow_redirects = false;  // a POST that is sent on to somewhere else is not what the user named
    return out;
}

/// Opens, and turns everything but status 200 into an error.
awaitable<result<std::unique_ptr<fetch::response>>> open_ok(options settings, fetch::client* client,
                                                            fetch::request request, aio::steady_time deadline) {
    auto response = co_await before(deadline, client->open(std::move(request)));
    if (!response) {
        co_return unreachable(response.error(), words_for(settings).name);
    }
    const int status = (*response)->head().status;
    if (status == status_ok) {
        co_return std::move(*response);
    }
    auto body = co_await before(deadline, fetch::read_all(**response, max_error_body_bytes));
    co_return error_of(status, body ? std::string_view(*body) : std::string_view{}, words_for(settings));
}

/// Opens and reads the whole body.
awaitable<result<std::string>> ask(options settings, fetch::client* client, fetch::request request, std::size_t limit,
                                   aio::steady_time deadline) {
    auto response = co_await open_ok(settings, client, std::move(request), deadline);
    if (!response) {
        co_return response.error();
    }
    auto body = co_await before(deadline, fetch::read_all(**response, limit));
    if (!body) {
        co_return unreachable(body.error(), words_for(settings).name);
    }
    co_return std::move(*body);
}

class upstream_generator final : public engine::generator {
  public:
    upstream_generator(options settings, fetch::client& client)
        : settings_(std::move(settings)), client_(&client), counters_(std::make_shared<usage_counters>()) {}

    engine::model_info info() const override {
        engine::model_info out;
        out.id = settings_.id;
        out.source = settings_.base_url;
        out.has_chat_template = true;  // the server has one, or says so itself
        return out;
    }

    engine::engine_load load() const override { return counters_->snapshot(std::chrono::steady_clock::now()); }

    awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                      aio::call_context call) override {
        if (!request.resume.empty()) {
            co_return fail(engine::errc::unsupported,
                           "An answer cannot be continued on an upstream server: it takes and tells no token ids.");
        }
        const auto asked = std::chrono::steady_clock::now();
        const bool chat = std::holds_alternative<engine::chat_prompt>(request.prompt);
        auto response = co_await open_ok(settings_, client_,
                                         make_request(settings_, "POST", chat ? "/chat/completions" : "/completions",
                                                      completion_body(request, settings_.model)),
                                         call.deadline);
        if (!response) {
            co_return response.error();
        }
        co_return std::make_unique<answer_stream>(std::move(*response), counters_, words_for(settings_), asked,
                                                  call.deadline);
    }

    awaitable<result<engine::embedding_result>> embed(engine::embed_request request, aio::call_context call) override {
        const std::size_t expected = request.inputs.size();
        auto body =
            co_await ask(settings_, client_,
                         make_request(settings_, "POST", "/embeddings", embedding_body(request, settings_.model)),
                         max_embedding_body_bytes, call.deadline);
        if (!body) {
            co_return body.error();
        }
        auto parsed = parse_embeddings(*body, expected);
        if (parsed) {
            counters_->prompt_tokens += static_cast<std::uint64_t>(parsed->prompt_tokens);
        }
        co_return parsed;
    }

  private:
    options settings_;
    fetch::client* client_;
    std::shared_ptr<usage_counters> counters_;
};

}  // namespace

result<std::shared_ptr<engine::generator>> create(options settings, fetch::client& client) {
    auto base = api_base(settings.base_url);
    if (!base) {
        return base.error();
    }
    settings.base_url = std::move(*base);
    if (settings.model.empty()) {
        settings.model = settings.id;
    }
    return std::make_shared<upstream_generator>(std::move(settings), client);
}

awaitable<result<std::vector<std::string>>> list_models(options settings, fetch::client& client) {
    auto base = api_base(settings.base_url);
    if (!base) {
        co_return base.error();
    }
    settings.base_url = std::move(*base);
    auto request = make_request(settings, "GET", "/models", {});
    auto body = co_await ask(settings, &client, std::move(request), max_model_list_bytes, aio::steady_time::max());
    if (!body) {
        co_return body.error();
    }
    co_return parse_models(*body);
}

}  // namespace starling::upstream

#include "remote/messages.hpp"
#include "remote/remote.hpp"
#include "transport/message_stream.hpp"

#include <utility>

namespace starling::remote {

using transport::message_stream;

namespace {

using engine::errc;

/// What went wrong with the stream, as a generator says it.
error as_engine_error(const error& from) {
    if (from == transport::errc::deadline) {
        return fail(errc::deadline, "The time for this request is over.");
    }
    return fail(errc::unavailable, "The node that was answering is gone: " + from.message);
}

/// The next answer of the other side, or why there is none.
awaitable<result<answer>> next_answer(message_stream& from, transport::steady_time deadline) {
    auto message = co_await from.receive(deadline);
    if (!message) {
        co_return result<answer>(as_engine_error(message.error()));
    }
    auto parsed = parse_answer(*message);
    if (!parsed) {
        co_return result<answer>(fail(errc::internal, parsed.error().message));
    }
    if (auto* no = std::get_if<refused>(&*parsed)) {
        co_return result<answer>(std::move(no->why));
    }
    co_return parsed;
}

class remote_tokens final : public engine::token_stream {
  public:
    remote_tokens(std::unique_ptr<message_stream> from, std::int32_t prompt_tokens, transport::steady_time deadline)
        : from_(std::move(from)), prompt_tokens_(prompt_tokens), deadline_(deadline) {}

    awaitable<result<engine::stream_event>> next() override {
        auto got = co_await next_answer(*from_, deadline_);
        if (!got) {
            co_return got.error();
        }
        if (auto* chunk = std::get_if<engine::chunk>(&*got)) {
            co_return engine::stream_event(std::move(*chunk));
        }
        if (auto* end = std::get_if<engine::finished>(&*got)) {
            co_return engine::stream_event(*end);
        }
        co_return fail(errc::internal, "The node that was answering sent something else than an answer.");
    }

    std::int32_t prompt_tokens() const override { return prompt_tokens_; }

  private:
    std::unique_ptr<message_stream> from_;
    std::int32_t prompt_tokens_;
    transport::steady_time deadline_;
};

class generator_of_peer final : public remote_generator {
  public:
    generator_of_peer(std::shared_ptr<transport::connection> to, engine::model_info info)
        : to_(std::move(to)), info_(std::move(info)) {}

    engine::model_info info() const override { return info_; }
    engine::engine_load load() const override { return load_; }
    void set_load(const engine::engine_load& load) override { load_ = load; }

    awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                      aio::call_context call) override {
        const auto to = to_;
        const auto deadline = call.deadline;
        request.model = info_.id;
        const prompt question{.request = std::move(request), .call = std::move(call)};
        auto asked = co_await ask(to, to_json(question, std::chrono::steady_clock::now()), deadline);
        if (!asked) {
            co_return asked.error();
        }
        auto first = co_await next_answer(**asked, deadline);
        if (!first) {
            co_return first.error();
        }
        const auto* begun = std::get_if<started>(&*first);
        if (begun == nullptr) {
            co_return fail(errc::internal, "The node that has the model answered something else than asked.");
        }
        std::unique_ptr<engine::token_stream> out =
            std::make_unique<remote_tokens>(std::move(*asked), begun->prompt_tokens, deadline);
        co_return out;
    }

    awaitable<result<engine::embedding_result>> embed(engine::embed_request request, aio::call_context call) override {
        const auto to = to_;
        const auto deadline = call.deadline;
        request.model = info_.id;
        const remote::embed question{.request = std::move(request), .call = std::move(call)};
        auto asked = co_await ask(to, to_json(question, std::chrono::steady_clock::now()), deadline);
        if (!asked) {
            co_return asked.error();
        }
        auto got = co_await next_answer(**asked, deadline);
        if (!got) {
            co_return got.error();
        }
        auto* vectors = std::get_if<engine::embedding_result>(&*got);
        if (vectors == nullptr) {
            co_return fail(errc::internal, "The node that has the model answered something else than asked.");
        }
        co_return std::move(*vectors);
    }

  private:
    /// The stream stays open in our direction: its end is how the other side learns that nobody waits any more.
    static awaitable<result<std::unique_ptr<message_stream>>> ask(std::shared_ptr<transport::connection> to,
                                                                  std::string question,
                                                                  transport::steady_time deadline) {
        auto opened = co_await to->open(deadline);
        if (!opened) {
            co_return as_engine_error(opened.error());
        }
        auto stream = std::make_unique<message_stream>(std::move(*opened));
        auto sent = co_await stream->send(std::move(question), deadline);
        if (!sent) {
            co_return as_engine_error(sent.error());
        }
        co_return stream;
    }

    std::shared_ptr<transport::connection> to_;
    engine::model_info info_;
    engine::engine_load load_;
};

}  // namespace

std::shared_ptr<remote_generator> make_generator(std::shared_ptr<transport::connection> to, engine::model_info info) {
    return std::make_shared<generator_of_peer>(std::move(to), std::move(info));
}

}  // namespace starling::remote

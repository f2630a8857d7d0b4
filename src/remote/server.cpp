#include "aio/together.hpp"
#include "remote/messages.hpp"
#include "remote/remote.hpp"
#include "transport/message_stream.hpp"

#include <utility>

namespace starling::remote {

using transport::message_stream;

namespace {

constexpr auto question_time = std::chrono::seconds(30);    // for a request to arrive whole
constexpr auto slow_reader_time = std::chrono::minutes(5);  // for a reader to take anything at all

transport::steady_time from_now(std::chrono::seconds time) {
    return std::chrono::steady_clock::now() + time;
}

awaitable<bool> send(message_stream& to, const answer& what) {
    auto sent = co_await to.send(to_json(what), from_now(slow_reader_time));
    co_return sent.has_value();
}

awaitable<void> refuse(message_stream& to, error why) {
    const answer what(refused{std::move(why)});
    const bool sent = co_await send(to, what);
    if (sent) {
        to.finish();
    }
}

awaitable<void> answer_prompt(message_stream& to, std::shared_ptr<engine::generator> by, prompt asked) {
    auto stream = co_await by->generate(std::move(asked.request), std::move(asked.call));
    if (!stream) {
        co_await refuse(to, stream.error());
        co_return;
    }
    const answer begun(started{.prompt_tokens = (*stream)->prompt_tokens()});
    bool listening = co_await send(to, begun);
    while (listening) {
        auto event = co_await (*stream)->next();
        if (!event) {
            co_await refuse(to, event.error());
            co_return;
        }
        const bool last = std::holds_alternative<engine::finished>(*event);
        const answer what = std::visit([](auto& one) { return answer(std::move(one)); }, *event);
        listening = co_await send(to, what);
        if (last) {
            to.finish();
            co_return;
        }
    }
}

awaitable<void> answer_embed(message_stream& to, std::shared_ptr<engine::generator> by, embed asked) {
    auto vectors = co_await by->embed(std::move(asked.request), std::move(asked.call));
    if (!vectors) {
        co_await refuse(to, vectors.error());
        co_return;
    }
    const answer what(std::move(*vectors));
    const bool sent = co_await send(to, what);
    if (sent) {
        to.finish();
    }
}

awaitable<void> answer_question(message_stream& to, std::shared_ptr<engine::generator> by, question asked) {
    if (auto* one = std::get_if<prompt>(&asked)) {
        co_await answer_prompt(to, std::move(by), std::move(*one));
    } else {
        co_await answer_embed(to, std::move(by), std::move(std::get<embed>(asked)));
    }
}

/// Ends when the other side does: it says nothing more after its question.
awaitable<void> until_gone(message_stream& from) {
    auto more = co_await from.receive(transport::steady_time::max());
    (void)more;
}

}  // namespace

awaitable<void> serve(std::unique_ptr<transport::stream> on, find_generator find) {
    message_stream messages(std::move(on));
    auto message = co_await messages.receive(from_now(question_time));
    if (message) {
        co_await serve(std::move(messages), std::move(*message), std::move(find));
    }
}

awaitable<void> serve(message_stream messages, std::string request, find_generator find) {
    auto asked = parse_question(request, std::chrono::steady_clock::now());
    std::string().swap(request);
    if (!asked) {
        co_await refuse(messages, fail(engine::errc::invalid_request, asked.error().message));
        co_return;
    }
    const auto& model = std::visit([](const auto& one) -> const std::string& { return one.request.model; }, *asked);
    auto by = find(model);
    if (!by) {
        co_await refuse(messages, by.error());
        co_return;
    }
    auto answering = answer_question(messages, std::move(*by), std::move(*asked));
    auto watching = until_gone(messages);
    co_await aio::first_of(std::move(answering), std::move(watching));
}

}  // namespace starling::remote

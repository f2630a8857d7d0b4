#include "dispatch/tests/fakes.hpp"

#include "base/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>

namespace starling::dispatch {

namespace asio = boost::asio;

namespace {

awaitable<void> sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

constexpr std::chrono::hours for_ever(1);

struct fake_stream final : engine::token_stream {
    fake_stream(fake_generator& from, engine::generate_request what)
        : of(from), how(from.how), request(std::move(what)), emitted(request.resume.size()) {
        ++of.open;
    }
    ~fake_stream() override { --of.open; }

    awaitable<result<engine::stream_event>> next() override {
        if (how.hangs_after == said) {
            co_await sleep(for_ever);
        }
        if (how.pace.count() > 0) {
            co_await sleep(how.pace);
        }
        if (how.breaks_after == said) {
            co_return how.breaks_with;
        }
        ++said;
        co_return event();
    }

    engine::stream_event event() {
        const auto limit = static_cast<std::size_t>(request.max_tokens.value_or(1'000'000));
        const auto end = std::min(how.length, limit);
        if (emitted < end) {
            engine::chunk out;
            const auto id = token_at(request.sampling.seed, emitted++);
            out.content = text_of(id);
            out.tokens.push_back({.id = how.tells_tokens ? id : engine::no_token,
                                  .bytes = out.content,
                                  .logprob = {},
                                  .alternatives = {}});
            if (emitted == limit) {
                out.content += how.held_back;
                held_back_told = emitted > request.resume.size();
            }
            return out;
        }
        if (!how.held_back.empty() && !held_back_told) {
            held_back_told = true;
            engine::chunk out;
            out.content = how.held_back;
            return out;
        }
        engine::finished out;
        out.reason = end == limit ? engine::finish_reason::length : engine::finish_reason::stop;
        out.usage = {.prompt_tokens = 100,
                     .completion_tokens = static_cast<std::int32_t>(emitted),
                     .cached_tokens = how.cached_tokens};
        out.timing = how.timing;
        return out;
    }

    std::int32_t prompt_tokens() const override { return 100; }

    fake_generator& of;
    plan how;
    engine::generate_request request;
    std::size_t emitted;
    int said = 0;
    bool held_back_told = false;
};

}  // namespace

engine::token_id token_at(std::uint64_t seed, std::size_t index) {
    return static_cast<engine::token_id>(1'000'000 * uniform_draw(seed, index));
}

std::string text_of(engine::token_id token) {
    return std::to_string(token) + " ";
}

engine::model_info fake_generator::info() const {
    engine::model_info out;
    out.id = "m";
    out.context_length = context;
    return out;
}

engine::engine_load fake_generator::load() const {
    engine::engine_load out;
    out.slots = 4;
    out.busy = open;
    out.tokens_per_s = 2.5;
    return out;
}

awaitable<result<std::unique_ptr<engine::token_stream>>> fake_generator::generate(engine::generate_request request,
                                                                                  aio::call_context call) {
    requests.push_back(request);
    calls.push_back(call);
    if (on_request) {
        on_request();
    }
    if (how.hangs_at_once) {
        co_await sleep(for_ever);
    }
    if (how.refusal) {
        co_return *how.refusal;
    }
    std::unique_ptr<engine::token_stream> out = std::make_unique<fake_stream>(*this, std::move(request));
    co_return out;
}

awaitable<result<engine::embedding_result>> fake_generator::embed(engine::embed_request request,
                                                                  aio::call_context call) {
    calls.push_back(call);
    if (how.hangs_at_once) {
        co_await sleep(for_ever);
    }
    if (how.refusal) {
        co_return *how.refusal;
    }
    engine::embedding_result out;
    out.vectors.assign(request.inputs.size(), {1.0F});
    out.prompt_tokens = 3;
    co_return out;
}

node_id id_of(std::uint8_t number) {
    node_id out;
    out.bytes.fill(number);
    return out;
}

std::shared_ptr<fake_generator> fake_directory::add(std::uint8_t id, std::string content) {
    auto made = std::make_shared<fake_generator>();
    worker one;
    one.view.id = id_of(id);
    one.view.name = "node-" + std::to_string(id);
    one.view.health = route::assess({.cpu_percent = 10.0, .memory_percent = 20.0}, 0, 64);
    one.view.slots = 4;
    one.view.round_trip = std::chrono::seconds(10 * id);
    one.content = std::move(content);
    one.generator = made;
    all.push_back(std::move(one));
    change.notify();
    return made;
}

void fake_directory::remove(std::uint8_t id) {
    std::erase_if(all, [&](const worker& one) { return one.view.id == id_of(id); });
    change.notify();
}

worker& fake_directory::at(std::uint8_t id) {
    return *std::find_if(all.begin(), all.end(), [&](const worker& one) { return one.view.id == id_of(id); });
}

dispatcher& dispatch_test::front_desk() {
    if (!dispatcher_) {
        dispatcher_.emplace(io_.get_executor(), directory_, how_, 7,
                            [this](const decision& one) { log_.push_back(one); });
    }
    return *dispatcher_;
}

std::shared_ptr<engine::generator> dispatch_test::front() {
    return front_desk().generator("m", {});
}

awaitable<received> dispatch_test::ask(engine::generate_request request, aio::call_context call) {
    received out;
    const auto generator = front();
    auto stream = co_await generator->generate(std::move(request), std::move(call));
    if (!stream) {
        out.failure = stream.error();
        co_return out;
    }
    for (;;) {
        auto event = co_await (*stream)->next();
        out.moves = (*stream)->moves();
        if (!event) {
            out.failure = event.error();
            co_return out;
        }
        if (const auto* end = std::get_if<engine::finished>(&*event)) {
            out.end = *end;
            co_return out;
        }
        const auto& chunk = std::get<engine::chunk>(*event);
        out.text += chunk.content;
        for (const auto& token : chunk.tokens) {
            out.tokens.push_back(token.id);
        }
    }
}

awaitable<void> dispatch_test::pause(std::chrono::milliseconds time) {
    co_await sleep(time);
}

void dispatch_test::run(awaitable<void> test) {
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(io_, std::move(test), [&](std::exception_ptr e) {
        thrown = e;
        ended = true;
    });
    io_.restart();
    io_.run();
    ASSERT_TRUE(ended);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

received dispatch_test::answer(engine::generate_request request, aio::call_context call) {
    received out;
    run([](dispatch_test& t, engine::generate_request what, aio::call_context with, received& into) -> awaitable<void> {
        into = co_await t.ask(std::move(what), std::move(with));
    }(*this, std::move(request), std::move(call), out));
    return out;
}

received dispatch_test::expected(std::size_t tokens) const {
    received out;
    for (std::size_t i = 0; i < tokens; ++i) {
        out.tokens.push_back(token_at(request().sampling.seed, i));
        out.text += text_of(out.tokens.back());
    }
    return out;
}

engine::generate_request request(std::string text) {
    engine::generate_request out;
    out.model = "m";
    out.prompt = engine::text_prompt{std::move(text)};
    out.sampling.seed = 42;
    return out;
}

engine::generate_request chat(std::vector<engine::message> messages) {
    auto out = request();
    engine::chat_prompt prompt;
    prompt.messages = std::move(messages);
    out.prompt = std::move(prompt);
    return out;
}

engine::message say(engine::role who, std::string what) {
    engine::message out;
    out.role = who;
    out.content = std::move(what);
    return out;
}

}  // namespace starling::dispatch

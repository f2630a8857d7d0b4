// Runs requests against a real engine on the starter model and gathers what comes out.
#pragma once

#include "llama/llama.hpp"
#include "repository_paths.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <optional>
#include <string>
#include <vector>

namespace starling::llama {

struct gathered {
    std::optional<error> failure;
    std::vector<engine::token_id> tokens;
    std::vector<engine::emitted_token> emitted;
    std::string content;
    std::string bytes;
    std::vector<std::size_t> replaced_after;  // tokens, whenever a stage went to another machine
    std::vector<engine::tool_call> calls;
    std::optional<engine::finished> end;
};

inline engine::awaitable<gathered> gather(engine::generator& from, engine::generate_request request,
                                          std::size_t stop_after) {
    gathered out;
    auto stream = co_await from.generate(std::move(request), aio::call_context("test"));
    if (!stream) {
        out.failure = stream.error();
        co_return out;
    }
    while (!out.end && out.tokens.size() < stop_after) {
        auto event = co_await (*stream)->next();
        if (!event) {
            out.failure = event.error();
            break;
        }
        if (const auto* end = std::get_if<engine::finished>(&*event)) {
            out.end = *end;
            continue;
        }
        const auto& chunk = std::get<engine::chunk>(*event);
        out.content += chunk.content;
        if (chunk.replaced) {
            out.replaced_after.push_back(out.tokens.size());
        }
        for (const auto& token : chunk.tokens) {
            out.tokens.push_back(token.id);
            out.emitted.push_back(token);
            out.bytes += token.bytes;
        }
        for (const auto& delta : chunk.tool_calls) {
            out.calls.resize(std::max(out.calls.size(), delta.index + 1));
            out.calls[delta.index].id += delta.id;
            out.calls[delta.index].name += delta.name;
            out.calls[delta.index].arguments += delta.arguments;
        }
    }
    co_return out;
}

class engine_test : public testing::Test {
  protected:
    static std::shared_ptr<engine::generator> load(engine_options options = {}) {
        options.id = "starter";
        options.path = STARLING_MODELS_DIR "/starter.gguf";
        options.context = options.context > 0 ? options.context : 512;
        options.slots = options.slots > 0 ? options.slots : 2;
        options.threads = 1;  // threads that wait for each other crawl on a machine that runs other tests
        auto loaded = load_engine(std::move(options));
        EXPECT_TRUE(loaded) << loaded.error().message;
        return *loaded;
    }

    static engine::generate_request chat(std::string text) {
        engine::chat_prompt prompt;
        prompt.messages.push_back({.role = engine::role::user, .content = std::move(text)});
        engine::generate_request request;
        request.prompt = std::move(prompt);
        request.sampling.temperature = 0.0F;
        request.max_tokens = 64;
        return request;
    }

    static engine::generate_request completion(std::string text, std::int32_t max_tokens) {
        engine::generate_request request;
        request.prompt = engine::text_prompt{std::move(text)};
        request.sampling.temperature = 0.0F;
        request.max_tokens = max_tokens;
        request.ignore_end = true;
        return request;
    }

    /// All the requests at the same time, answers in their order.
    static std::vector<gathered> ask_all(engine::generator& from, std::vector<engine::generate_request> requests,
                                         std::size_t stop_after = SIZE_MAX) {
        boost::asio::io_context io;
        std::vector<std::future<gathered>> futures;
        for (auto& request : requests) {
            futures.push_back(
                boost::asio::co_spawn(io, gather(from, std::move(request), stop_after), boost::asio::use_future));
        }
        io.run();
        std::vector<gathered> answers;
        for (auto& future : futures) {
            answers.push_back(future.get());
        }
        return answers;
    }

    static gathered ask(engine::generator& from, engine::generate_request request, std::size_t stop_after = SIZE_MAX) {
        return ask_all(from, {std::move(request)}, stop_after).front();
    }
};

}  // namespace starling::llama

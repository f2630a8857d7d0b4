// Requests and answers between nodes, as JSON objects with a `type`: `prompt` and `embed` go out; `inference_started`,
// `inference_delta`…, `inference_result` come back, or `embed_result`, or `inference_error` at any time.
//
// Fields that are not known are ignored and missing ones have their defaults, so that an older and a newer node still
// serve each other; whether the values make sense is for the generator to say. Pure, fuzzed.
#pragma once

#include "aio/call_context.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace starling::remote {

/// What these messages mean. A node answers every version up to its own.
inline constexpr int version = 1;

/// The wire carries the time that is left, for clocks differ.
struct prompt {
    engine::generate_request request;
    aio::call_context call;
};

struct embed {
    engine::embed_request request;
    aio::call_context call;
};

using question = std::variant<prompt, embed>;

struct started {
    std::int32_t prompt_tokens = 0;
};

/// The request ends here. Its code is one of engine::errc.
struct refused {
    error why;
};

using answer = std::variant<started, engine::chunk, engine::finished, engine::embedding_result, refused>;

std::string to_json(const prompt& from, aio::steady_time now);
std::string to_json(const embed& from, aio::steady_time now);
std::string to_json(const answer& from);

/// Errors: wire::errc::malformed, unsupported (a type or version that is not known here).
result<question> parse_question(std::string_view json, aio::steady_time now);
result<answer> parse_answer(std::string_view json);

}  // namespace starling::remote

// OpenAI requests as values. Pure and bounded: a body comes in, a request for the engine or a complaint goes out.
//
// Unknown fields are ignored, as the OpenAI API does; known ones are checked strictly, and the complaint names the
// field. Called by: api. Fuzzed: tests/fuzz/openai_request_fuzz.cpp.
#pragma once

#include "base/result.hpp"
#include "engine/types.hpp"
#include "openai/errc.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::openai {

/// What is wrong with a request, and with which field of it ("messages[2].content"; empty: the whole).
struct complaint {
    error why;
    std::string param;
};

template <class T>
using parsed = boost::system::result<T, complaint>;

[[noreturn]] inline void throw_exception_from_error(const complaint& c, const boost::source_location&) {
    throw std::system_error(c.why.code, c.why.message);
}

// Limits. They keep one request from taking a node for itself.
inline constexpr std::size_t max_json_depth = 64;     // deeper schemas are not written by people
inline constexpr std::int32_t max_choices = 8;        // `n`; each choice takes a slot
inline constexpr std::size_t max_completions = 32;    // prompts times `n` of one /v1/completions request
inline constexpr std::size_t max_stop_strings = 16;   // each is searched for at every token
inline constexpr std::size_t max_stop_bytes = 1024;   // text that may be one is held back from the client
inline constexpr std::size_t max_tools = 128;         // as in the OpenAI API
inline constexpr std::size_t max_tool_name = 64;      // as in the OpenAI API
inline constexpr std::int32_t max_top_logprobs = 20;  // as in the OpenAI API
inline constexpr std::size_t max_logit_bias = 1024;
inline constexpr std::size_t max_embedding_inputs = 2048;      // as in the OpenAI API
inline constexpr std::int32_t default_completion_tokens = 16;  // of /v1/completions, as in the OpenAI API

struct stream_options {
    bool stream = false;
    bool include_usage = false;
};

/// POST /v1/chat/completions. Choice i is drawn with seed + i.
struct chat_request {
    engine::generate_request generate;
    stream_options streaming;
    std::int32_t choices = 1;
};

/// POST /v1/completions. There is one entry in `generate` for each prompt, in their order; `choices` of each are made.
/// Choice i, counted over all prompts, is drawn with seed + i.
struct completion_request {
    std::vector<engine::generate_request> generate;
    stream_options streaming;
    std::int32_t choices = 1;
    bool echo = false;  // the answer begins with the prompt
};

enum class embedding_encoding { floats, base64 };

/// POST /v1/embeddings.
struct embeddings_request {
    engine::embed_request embed;
    embedding_encoding encoding = embedding_encoding::floats;
    std::optional<std::int32_t> dimensions;  // must be the model's own: vectors are not cut
};

/// `seed` is used where the request names none, so that these functions stay pure.
parsed<chat_request> parse_chat_request(std::string_view body, std::uint64_t seed);
parsed<completion_request> parse_completion_request(std::string_view body, std::uint64_t seed);
parsed<embeddings_request> parse_embeddings_request(std::string_view body);

}  // namespace starling::openai

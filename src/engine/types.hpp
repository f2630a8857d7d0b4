// The values that a request and its answer are made of. Plain data: no llama.cpp, no JSON, no sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace starling::engine {

/// A token of the model's own vocabulary. `no_token` where a backend does not tell (an upstream server).
using token_id = std::int32_t;
inline constexpr token_id no_token = -1;

struct tool_call {
    std::string id;
    std::string name;
    std::string arguments;  // JSON text, as the model wrote it
};

enum class role { system, user, assistant, tool };

struct message {
    engine::role role = engine::role::user;
    std::string content;
    std::string reasoning;              // assistant turns of models that think aloud
    std::vector<tool_call> tool_calls;  // assistant turns
    std::string tool_call_id;           // tool turns
    std::string name;
};

struct tool {
    std::string name;
    std::string description;
    std::string parameters;  // JSON schema as text; "{}" when there are none
};

enum class tool_choice { automatic, none, required };

enum class output_format { text, json_object, json_schema };

/// A conversation; the model's chat template turns it into tokens.
struct chat_prompt {
    std::vector<message> messages;
    std::vector<tool> tools;
    engine::tool_choice tool_choice = engine::tool_choice::automatic;
    bool parallel_tool_calls = false;
    output_format format = output_format::text;
    std::string json_schema;                                              // for output_format::json_schema
    std::vector<std::pair<std::string, std::string>> template_arguments;  // name, JSON text
};

/// Text that is continued as it stands.
struct text_prompt {
    std::string text;
};

/// Tokens that are continued as they stand.
struct token_prompt {
    std::vector<token_id> tokens;
};

/// Which tokens are likely to be drawn. The defaults are those of the OpenAI API (the distribution as it is).
struct sampling {
    std::uint64_t seed = 0;
    float temperature = 1.0F;  // 0: always the most likely token
    float top_p = 1.0F;
    std::int32_t top_k = 0;  // 0: off
    float min_p = 0.0F;
    float repeat_penalty = 1.0F;
    float frequency_penalty = 0.0F;
    float presence_penalty = 0.0F;
    std::int32_t penalty_last_n = 64;
    std::vector<std::pair<token_id, float>> logit_bias;
};

struct generate_request {
    std::string model;
    std::variant<chat_prompt, text_prompt, token_prompt> prompt;
    engine::sampling sampling;
    std::optional<std::int32_t> max_tokens;  // none: until the model ends or the context is full
    std::vector<std::string> stop;
    std::string grammar;                   // GBNF; empty: none. Chat prompts bring their own from `format` and `tools`.
    std::optional<std::int32_t> logprobs;  // how many alternatives to report at each token; none: no logprobs
    bool ignore_end = false;               // go on after the model's end token (benchmarks)

    /// Tokens of this same answer that another engine has already emitted. The stream starts after them, as if it had
    /// produced them itself: same text, same stop, same draws (randomness depends on seed and token index alone).
    std::vector<token_id> resume;
};

struct embed_request {
    std::string model;
    std::vector<std::variant<std::string, std::vector<token_id>>> inputs;
};

/// Where an answer comes from, for headers, logs and status.
struct provenance {
    std::string node;    // id of the node that generates; empty: not told, so this one
    std::string reason;  // why it was chosen, in one line
    std::string cause;   // why the one before was left; empty: there was none
};

struct embedding_result {
    std::vector<std::vector<float>> vectors;  // one for each input, length 1 in the Euclidean norm
    std::int32_t prompt_tokens = 0;
    provenance from;
};

struct token_alternative {
    token_id id = no_token;
    std::string bytes;
    float logprob = 0.0F;
};

/// One sampled token. `bytes` is its text; a character may be spread over several tokens.
struct emitted_token {
    token_id id = no_token;
    std::string bytes;
    std::optional<float> logprob;
    std::vector<token_alternative> alternatives;
};

/// A piece of a tool call. `id` and `name` come with the first piece of each `index`.
struct tool_call_delta {
    std::size_t index = 0;
    std::string id;
    std::string name;
    std::string arguments;
};

/// A machine that computed a part of the model is gone, and another one computes that part now.
struct replacement {
    std::string node;   // id of who does now
    std::string cause;  // who did, and why no longer
};

/// What the client may see now. Text is whole UTF-8 characters; text that may still turn out to be a stop string is
/// held back, so a chunk can carry tokens and no text.
struct chunk {
    std::vector<emitted_token> tokens;
    std::string content;
    std::string reasoning;
    std::vector<tool_call_delta> tool_calls;
    std::shared_ptr<const replacement> replaced;  // before these tokens, and after others; seldom anything
};

enum class finish_reason { stop, length, tool_calls };

struct token_usage {
    std::int32_t prompt_tokens = 0;
    std::int32_t completion_tokens = 0;
    std::int32_t cached_tokens = 0;  // of the prompt, not computed again
};

struct stream_timing {
    double queue_ms = 0.0;
    double prefill_ms = 0.0;
    double decode_ms = 0.0;
};

/// The last event of a stream.
struct finished {
    finish_reason reason = finish_reason::stop;
    token_usage usage;
    stream_timing timing;
};

using stream_event = std::variant<chunk, finished>;

struct model_info {
    std::string id;            // as in /v1/models
    std::string source;        // file path or upstream URL
    std::string architecture;  // GGUF general.architecture
    std::uint64_t parameters = 0;
    std::uint64_t size_bytes = 0;
    std::int32_t context_length = 0;  // tokens that one request may use, prompt and answer
    std::int32_t layers = 0;
    std::int32_t embedding_length = 0;
    bool has_chat_template = false;
};

/// A snapshot for routing, metrics and status.
struct engine_load {
    std::int32_t slots = 0;
    std::int32_t busy = 0;
    std::int32_t queued = 0;
    std::int32_t queue_limit = 0;
    double tokens_per_s = 0.0;        // generated, over the last seconds
    std::uint64_t prompt_tokens = 0;  // since start
    std::uint64_t generated_tokens = 0;
    std::uint64_t cached_tokens = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t draft_accepted = 0;  // tokens that a draft model proposed, and were right
    std::uint64_t draft_rejected = 0;
};

}  // namespace starling::engine

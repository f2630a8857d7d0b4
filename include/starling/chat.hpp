// What a chat is made of: the request, the pieces of its answer, the answer. Plain values.
//
// Part of Starling's public headers: the standard library alone, C++20. Text is UTF-8 everywhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace starling::sdk {

enum class role { system, user, assistant, tool };

struct tool_call {
    std::string id{};
    std::string name{};
    std::string arguments{};  // JSON text, as the model wrote it
};

struct message {
    sdk::role role = sdk::role::user;
    std::string content{};
    std::vector<tool_call> tool_calls{};  // assistant turns: the calls of an earlier answer
    std::string tool_call_id{};           // tool turns: which call this is the result of
};

struct tool {
    std::string name{};
    std::string description{};
    std::string parameters = "{}";  // JSON schema of the arguments, as text: an object
};

enum class tool_choice { automatic, none, required };

struct chat_request {
    std::string model = "auto";  // an id of client::models(); "auto" or empty: the first that is ready
    std::vector<message> messages{};
    std::optional<std::int32_t> max_tokens{};  // none: until the model ends or its context is full
    float temperature = 1.0F;                  // 0: always the most likely token
    float top_p = 1.0F;
    std::optional<std::uint64_t> seed{};  // of 63 bits; none: another one for each request
    std::vector<std::string> stop{};      // ends the answer, and is not part of it
    std::vector<tool> tools{};
    sdk::tool_choice tool_choice = sdk::tool_choice::automatic;
    std::string response_schema{};         // JSON schema, as text, that the answer follows; empty: free text
    std::chrono::milliseconds timeout{0};  // for the whole answer; 0: no limit
};

/// A piece of a tool call. `id` and `name` come with the first piece of each `index`.
struct tool_call_delta {
    std::size_t index = 0;
    std::string id{};
    std::string name{};
    std::string arguments{};
};

/// A piece of an answer: whole characters.
struct delta {
    std::string text{};
    std::string reasoning{};  // of models that think aloud
    std::vector<tool_call_delta> tool_calls{};
};

enum class finish_reason {
    stop,        // the model ended, or a stop string came
    length,      // max_tokens, or the context is full
    tool_calls,  // the model wants its calls carried out
    unfinished,  // part of an error: what had come when the answer was cut off
};

struct token_usage {
    std::int32_t prompt_tokens = 0;
    std::int32_t completion_tokens = 0;
    std::int32_t cached_tokens = 0;  // of the prompt, not computed again
};

struct answer {
    std::string text{};
    std::string reasoning{};
    std::vector<tool_call> tool_calls{};
    sdk::finish_reason finish_reason = sdk::finish_reason::unfinished;
    token_usage usage{};
    std::string served_by{};  // id of the node that answered, 64 hex characters; empty when it did not say
    std::string model{};      // the model that answered; for "auto" another name than was asked for
};

}  // namespace starling::sdk

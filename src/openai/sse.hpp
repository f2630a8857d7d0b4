// Server-sent events of a streamed answer. This is the token path: every call appends to a buffer that the caller
// keeps, what is the same in all chunks of a stream is written once, and no tree is built.
#pragma once

#include "base/result.hpp"
#include "engine/types.hpp"
#include "openai/answer.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace starling::openai {

/// An answer goes on at another node.
struct move_notice {
    std::string node_id;
    std::string name;   // what people call it; empty: not known here
    std::string cause;  // why the one before was left
};

/// The events of one chat.completion.chunk stream. Every function appends whole events to `out`.
class chat_chunks {
  public:
    chat_chunks(const answer_identity& identity, stream_options options, bool logprobs);

    /// The role of choice `index`, before its first text.
    void open(std::string& out, std::size_t index) const;

    /// Text, tool calls and logprobs; nothing where the chunk has nothing for the client.
    void add(std::string& out, std::size_t index, const engine::chunk& chunk) const;

    void close(std::string& out, std::size_t index, engine::finish_reason reason) const;

    /// From here on another node answers: a chunk without text, and `starling` beside OpenAI's fields.
    void moved(std::string& out, std::size_t index, const move_notice& what) const;

    /// The last chunk, with no choices; nothing unless include_usage was asked for.
    void usage(std::string& out, const engine::token_usage& usage) const;

  private:
    void begin_event(std::string& out, std::size_t index) const;

    std::string head_;       // data: {"id":…,"choices":[
    std::string_view tail_;  // ]} and the blank line; with "usage":null where usage follows
    bool include_usage_ = false;
    bool logprobs_ = false;
};

/// The events of one text_completion stream.
class completion_chunks {
  public:
    completion_chunks(const answer_identity& identity, stream_options options, bool logprobs, std::size_t choices);

    /// `text` that the answer begins with, for `echo`.
    void echo(std::string& out, std::size_t index, std::string_view text) const;
    void add(std::string& out, std::size_t index, const engine::chunk& chunk);
    void close(std::string& out, std::size_t index, engine::finish_reason reason) const;
    void usage(std::string& out, const engine::token_usage& usage) const;

  private:
    std::string head_;
    std::string_view tail_;
    bool include_usage_ = false;
    bool logprobs_ = false;
    std::vector<std::size_t> text_offsets_;  // of each choice's next token
};

/// The end of every stream that completed.
inline constexpr std::string_view sse_done = "data: [DONE]\n\n";

/// A comment, which clients skip: it keeps proxies from cutting a stream that waits.
inline constexpr std::string_view sse_comment = ": waiting\n\n";

/// An error after the stream began. The stream ends with it.
std::string sse_error(const error& why);

}  // namespace starling::openai

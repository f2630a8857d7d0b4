// Engine events <- what an OpenAI-compatible server answers. Pure: bytes in, events out, no clock and no socket.
#pragma once

#include "base/result.hpp"
#include "engine/errc.hpp"
#include "engine/types.hpp"
#include "upstream/sse_parser.hpp"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::upstream {

/// How messages speak of a server.
struct server_words {
    std::string name = "The upstream server";  // "The upstream server at http://…"
    std::string key_flag;                      // the flag that names the file with its key
    std::string secret;                        // the key; blotted out of whatever the server says
};

/// One streamed answer, of chat or of text completion: both kinds are told apart by their fields.
///
/// The `finished` event is given when the stream has ended, because usage comes after the finish reason. Its timing is
/// left at zero: whoever has a clock fills it in.
class answer_decoder {
  public:
    explicit answer_decoder(server_words server = {}) : server_(std::move(server)) {}

    /// Errors: engine::errc::upstream_error, or what `error_of` says of an error that the server sends in mid-stream.
    /// After an error the decoder is not to be used.
    result<void> feed(std::string_view bytes, std::vector<engine::stream_event>& out);

    /// A server that ignores `stream` answers with one JSON object; this is it, whole.
    result<void> feed_whole(std::string_view body, std::vector<engine::stream_event>& out);

    /// The connection has ended. Error: engine::errc::unavailable when the answer had not: it was cut off.
    result<void> finish(std::vector<engine::stream_event>& out);

    /// `[DONE]` was seen and `finished` given.
    bool done() const { return done_; }

    std::int32_t prompt_tokens() const { return usage_.prompt_tokens; }

    /// The model that the server says it is, which for "auto" is another name than was asked for; empty until it says.
    const std::string& model() const { return model_; }

  private:
    result<void> take_event(const sse_event& event, std::vector<engine::stream_event>& out);
    result<void> take_object(const boost::json::value& object, std::vector<engine::stream_event>& out);
    void take_choice(const boost::json::value& choice, std::vector<engine::stream_event>& out);
    void take_usage(const boost::json::value& usage);
    void give_finished(std::vector<engine::stream_event>& out);

    server_words server_;
    sse_parser events_;
    std::string model_;
    std::optional<engine::finish_reason> reason_;
    engine::token_usage usage_;
    std::int32_t pieces_ = 0;  // tokens as far as we can count them, for a server that sends no usage
    bool saw_tool_calls_ = false;
    bool done_ = false;
};

/// An answer whose status is not 200, or an error object in mid-stream (`status` 0 where the object has no code).
/// The server's own message is part of ours, cut to a line.
error error_of(int status, std::string_view body, const server_words& server);

/// Vectors of POST /v1/embeddings in the order of their inputs, brought to length 1.
/// Error: engine::errc::upstream_error when there are not `expected` of them, or they are no numbers.
result<engine::embedding_result> parse_embeddings(std::string_view body, std::size_t expected);

/// Names of GET /v1/models.
result<std::vector<std::string>> parse_models(std::string_view body);

}  // namespace starling::upstream

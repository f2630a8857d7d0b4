// One streamed answer of an upstream server: an HTTP response read through an answer_decoder.
#pragma once

#include "engine/engine.hpp"
#include "fetch/fetch.hpp"
#include "upstream/answer_codec.hpp"
#include "upstream/usage_counters.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace starling::upstream {

template <class T>
using awaitable = engine::awaitable<T>;

class answer_stream final : public engine::token_stream {
  public:
    using steady_time = aio::steady_time;

    /// `response` is one with status 200.
    answer_stream(std::unique_ptr<fetch::response> response, std::shared_ptr<usage_counters> counters,
                  server_words server, steady_time asked, steady_time deadline);
    /// Closes the connection; a server notices, and stops its work.
    ~answer_stream() override;

    awaitable<result<engine::stream_event>> next() override;
    std::int32_t prompt_tokens() const override { return decoder_.prompt_tokens(); }
    /// The node that the server says has answered (`x-starling-node`), where it is a Starling node.
    engine::provenance from() const override;
    /// The model that the server says it is; empty until it says.
    const std::string& model() const { return decoder_.model(); }

  private:
    awaitable<result<void>> read_on();
    awaitable<result<void>> read_more();
    awaitable<result<void>> read_whole();
    void keep(std::vector<engine::stream_event> events);

    std::unique_ptr<fetch::response> response_;
    std::shared_ptr<usage_counters> counters_;
    std::string server_;  // how messages call it
    steady_time asked_;
    steady_time deadline_;
    std::optional<steady_time> first_;
    answer_decoder decoder_;
    std::deque<engine::stream_event> waiting_;
    std::optional<error> failed_;
    bool finished_ = false;
};

/// A fetch error in the words and the codes of the engine.
error unreachable(const error& why, const std::string& server);

}  // namespace starling::upstream

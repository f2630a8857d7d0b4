// Where the choices of an answer go: into one piece, or into a stream of events. Private to api.
#pragma once

#include "aio/call_context.hpp"
#include "api/answer_format.hpp"
#include "api/generation.hpp"
#include "http/handler.hpp"

#include <functional>
#include <string>
#include <vector>

namespace starling::api {

/// Called once, when the first token of an answer is there.
using first_token_notice = std::function<void()>;

class collecting_sink final : public choice_sink {
  public:
    collecting_sink(std::size_t choices, bool keep_tokens, first_token_notice notice);

    void take(std::size_t choice, engine::chunk chunk) override;
    void finish(std::size_t choice, engine::finish_reason reason) override;
    void moved(std::size_t, const engine::provenance&) override {}
    bool is_behind() const override { return false; }
    http::awaitable<void> caught_up() override;

    std::vector<openai::choice_answer> release() { return std::move(answers_); }

  private:
    std::vector<openai::choice_answer> answers_;
    bool keep_tokens_;
    first_token_notice notice_;
};

class streaming_sink final : public choice_sink {
  public:
    /// `name_of`: what people call a node, by its id.
    streaming_sink(answer_format& format, http::response_writer& writer, first_token_notice notice,
                   std::function<std::string(const std::string&)> name_of);

    void open(std::size_t choices);
    void take(std::size_t choice, engine::chunk chunk) override;
    void finish(std::size_t choice, engine::finish_reason reason) override;
    void moved(std::size_t choice, const engine::provenance& to) override;
    bool is_behind() const override { return writer_.behind(); }
    http::awaitable<void> caught_up() override { return writer_.drained(); }

    void usage(const engine::token_usage& usage);
    void write(std::string_view event);

    /// Writes a comment whenever nothing was written for `every`. Never returns.
    http::awaitable<void> run_comment_loop(std::chrono::milliseconds every);

  private:
    void flush();

    answer_format& format_;
    http::response_writer& writer_;
    first_token_notice notice_;
    std::function<std::string(const std::string&)> name_of_;
    std::string buffer_;  // one chunk's events; its memory is used again
    aio::steady_time last_write_;
};

}  // namespace starling::api

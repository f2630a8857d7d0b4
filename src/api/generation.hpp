// The choices of one answer, drawn side by side from one generator. Private to api.
//
// It belongs to the coroutine that answers the request: when that is cancelled because the client left, the streams
// are dropped with it, and their slots are free one step later.
#pragma once

#include "engine/engine.hpp"
#include "http/handler.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace starling::api {

/// Takes what the choices yield. Calls do not overlap.
class choice_sink {
  public:
    choice_sink() = default;
    choice_sink(const choice_sink&) = delete;
    choice_sink& operator=(const choice_sink&) = delete;
    virtual ~choice_sink() = default;

    virtual void take(std::size_t choice, engine::chunk chunk) = 0;
    virtual void finish(std::size_t choice, engine::finish_reason reason) = 0;

    /// What follows comes from another node.
    virtual void moved(std::size_t choice, const engine::provenance& to) = 0;

    /// Awaited between chunks: holds the choice up while the client is behind.
    virtual bool is_behind() const = 0;
    virtual http::awaitable<void> caught_up() = 0;
};

class generation {
  public:
    /// There is a request for each choice; those of one prompt follow each other, `choices_per_prompt` of them.
    generation(std::shared_ptr<engine::generator> generator, std::size_t choices_per_prompt);

    /// Queues every request. An error means that none goes on.
    http::awaitable<result<void>> open(std::vector<engine::generate_request> requests, aio::call_context call);

    /// Until every choice has finished, or one failed.
    http::awaitable<void> run(choice_sink& sink);

    const std::optional<error>& failure() const { return failure_; }

    /// Over all choices; a prompt counts once, however many choices it has.
    const engine::token_usage& usage() const { return usage_; }

    /// Of the first choice: who generates it, as known now.
    const engine::provenance& from() const { return from_; }

    /// Of the choice that finished last.
    const engine::stream_timing& timing() const { return timing_; }

  private:
    http::awaitable<void> run_choice(std::size_t choice, choice_sink& sink);
    void count(std::size_t choice, const engine::finished& end);

    std::shared_ptr<engine::generator> generator_;
    std::size_t choices_per_prompt_;
    std::vector<std::unique_ptr<engine::token_stream>> streams_;
    std::optional<error> failure_;
    engine::token_usage usage_;
    engine::stream_timing timing_;
    engine::provenance from_;
};

}  // namespace starling::api

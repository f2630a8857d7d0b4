// A stream of tokens that outlives its workers: when one dies, hangs or gives it up, another one goes on after the last
// token that the client has. Owner: the caller; dropping it drops the worker's stream at once. Thread: the network
// executor.
#pragma once

#include "dispatch/delivered_answer.hpp"
#include "dispatch/search.hpp"

#include <memory>
#include <optional>
#include <string>

namespace starling::dispatch {

class dispatched_stream final : public engine::token_stream {
  public:
    dispatched_stream(std::shared_ptr<core> of, const std::string& model, engine::generate_request request,
                      aio::call_context call);

    /// Finds a worker for the whole answer, or for the rest of it. Once, before the first next().
    engine::awaitable<result<void>> place();

    engine::awaitable<result<engine::stream_event>> next() override;
    std::int32_t prompt_tokens() const override;
    engine::provenance from() const override { return from_; }
    std::uint32_t moves() const override { return moves_; }

  private:
    /// What one worker does for this stream.
    struct leg {
        placed<std::unique_ptr<engine::token_stream>> by;
        std::int32_t begins_at = 0;  // tokens that others emitted before
        bool begun = false;          // it has said something
        aio::steady_time first_at;
        aio::steady_time last_at;
    };

    engine::awaitable<result<void>> go_on_elsewhere(error why, bool hung);
    engine::awaitable<result<std::unique_ptr<engine::token_stream>>> ask(engine::generator& by) const;
    bool take(engine::stream_event& event);
    void settle(engine::finished& end);
    void learn(const engine::finished& end);
    void note_decision();
    std::int32_t emitted() const { return static_cast<std::int32_t>(delivered_.tokens().size()); }
    std::chrono::milliseconds patience() const;
    error cannot_continue(const worker& left, const error& why, std::string_view reason) const;

    std::shared_ptr<core> core_;
    engine::generate_request request_;  // kept whole: the next worker needs it again
    aio::call_context call_;
    delivered_answer delivered_;
    search search_;
    std::optional<leg> leg_;  // none: not begun, or ended
    engine::provenance from_;
    std::int32_t prompt_tokens_ = 0;
    int takeovers_ = 0;
    std::uint32_t moves_ = 0;
    bool placed_before_ = false;
    double decode_ms_before_ = 0.0;  // by workers that were lost
};

}  // namespace starling::dispatch

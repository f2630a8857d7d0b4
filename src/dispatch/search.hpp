// One request's search for a worker: chooses one, asks it, moves on when it refuses, and waits when there is nobody.
// A request searches again when the worker it had is lost. Owner: the call. Thread: the network executor.
#pragma once

#include "aio/call_context.hpp"
#include "dispatch/core.hpp"
#include "dispatch/tried_table.hpp"
#include "dispatch/watchdog.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace starling::dispatch {

/// A worker that has taken the request, and its answer.
template <class T>
struct placed {
    candidate at;
    T answer{};
};

/// "this node", its name, or the short form of its id.
std::string name_of(const route::worker_view& node);

/// A sentence of somebody else's, to go on after.
std::string without_full_stop(std::string text);

class search {
  public:
    search(std::shared_ptr<core> of, std::string model, prompt_chain prompt, std::int32_t answer_tokens,
           aio::call_context call);

    /// The first worker that says yes to `ask`, which may take `patience`. Errors: see dispatch.hpp.
    template <class T>
    engine::awaitable<result<placed<T>>> find(std::function<engine::awaitable<result<T>>(engine::generator&)> ask,
                                              std::chrono::milliseconds patience) {
        for (;;) {
            auto chosen = choose();
            if (!chosen) {
                auto end = co_await wait_for_change();
                if (end) {
                    co_return std::move(*end);
                }
                continue;
            }
            auto asked = ask(*chosen->by.generator);
            auto answer = co_await watch_.run(std::move(asked), until(patience));
            if (answer && answer->has_value()) {
                placed<T> out{std::move(*chosen), std::move(**answer)};
                co_return out;
            }
            const error why = answer ? answer->error() : late(patience);
            auto end = take_refusal(chosen->by, why, !answer);
            if (end) {
                co_return std::move(*end);
            }
        }
    }

    /// The worker that had the request is lost. `for_good`: it broke down under it, and is asked again only when it
    /// was away and came back. The next search begins.
    void leave(const worker& left, const error& why, bool for_good);

    /// From now on only who has the same content will do, and the client waits in the middle of an answer.
    void must_continue(std::int32_t tokens, std::string content);

    watchdog& watch() { return watch_; }
    aio::steady_time until(std::chrono::milliseconds patience) const;

    /// What is wrong when the time of until() is over: deadline, or unavailable.
    error late(std::chrono::milliseconds patience) const;

    /// Why the last worker was left, or did not take the request.
    const std::string& cause() const { return cause_; }
    const prompt_chain& prompt() const { return prompt_; }
    const std::string& model() const { return model_; }
    const std::string& request_id() const { return call_.request_id; }

  private:
    std::optional<candidate> choose();
    bool may_ask(const worker& one) const;

    /// Nothing: the next one is to be asked. Otherwise how the request ends.
    std::optional<error> take_refusal(const worker& by, const error& why, bool hung);
    engine::awaitable<std::optional<error>> wait_for_change();
    error nobody_came(aio::steady_time now) const;

    std::shared_ptr<core> core_;
    std::string model_;
    prompt_chain prompt_;
    std::int32_t answer_tokens_;
    aio::call_context call_;
    watchdog watch_;

    tried_table tried_;
    std::optional<std::string> content_;  // set when an answer is continued
    std::int32_t delivered_ = 0;          // tokens, when an answer is continued
    std::int32_t context_above_ = 0;      // smaller ones are too small for the prompt
    std::uint64_t refusals_ = 0;          // since somebody was asked
    std::optional<error> full_;           // somebody serves the model and has no room
    std::optional<error> too_long_;
    std::optional<error> final_;  // said by who has it, or would have: waiting changes nothing
    std::string cause_;
    std::optional<aio::steady_time> waiting_since_;
};

}  // namespace starling::dispatch

// Expected failure as a value: what a call gave, or why it gave nothing.
//
// Part of Starling's public headers: the standard library alone, C++20. Nothing that can go wrong on a healthy
// program's way (a node that is down, a wrong key, a full queue, an answer that was cut off) is thrown.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace starling::sdk {

struct answer;

enum class error_kind {
    unreachable,      // nobody answers there, or what answers is no Starling node, or it has nobody to ask; maybe later
    unauthorized,     // the key is missing or wrong, or an invite is not valid
    unknown_model,    // the node does not know the model of this name
    invalid_request,  // the request cannot be carried out, whoever tries; the message names the field
    too_long,         // the prompt does not fit the model's context, or the request the node's limit
    busy,             // too many are waiting; try again in a second or later
    loading,          // the model is not ready yet; try again in a few seconds
    timed_out,        // the time that the caller gave is over
    cancelled,        // the caller stopped it: by a stop_token, or by a callback that returned false
    interrupted,      // the answer ended before it was finished: the node or the line died, or the node gave it up
    internal,         // the node's or this library's own mistake
};

constexpr std::string_view to_string(error_kind kind) {
    switch (kind) {
        case error_kind::unreachable: return "unreachable";
        case error_kind::unauthorized: return "unauthorized";
        case error_kind::unknown_model: return "unknown_model";
        case error_kind::invalid_request: return "invalid_request";
        case error_kind::too_long: return "too_long";
        case error_kind::busy: return "busy";
        case error_kind::loading: return "loading";
        case error_kind::timed_out: return "timed_out";
        case error_kind::cancelled: return "cancelled";
        case error_kind::interrupted: return "interrupted";
        case error_kind::internal: return "internal";
    }
    return "internal";
}

struct error {
    error_kind kind = error_kind::internal;
    std::string message{};  // one sentence for the person in front; never holds the key
    int http_status = 0;    // of the node's answer; 0 when there was none, or when the answer had begun well

    /// A chat that had begun (cancelled, interrupted, timed_out): what got through, with
    /// `usage.completion_tokens` tokens, as far as they could be counted. Null otherwise.
    std::shared_ptr<const answer> received{};
};

/// A T, or an error. Like C++23's std::expected<T, error>, as far as this API needs it.
template <class T>
class [[nodiscard]] outcome {
  public:
    using value_type = T;

    // Not explicit: a function that gives an outcome returns a value or an error as they are.
    outcome(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    outcome(sdk::error why) : held_(std::in_place_index<1>, std::move(why)) {}

    explicit operator bool() const noexcept { return held_.index() == 0; }
    bool has_value() const noexcept { return held_.index() == 0; }

    /// Only where there is a value. Asking anyway is a bug of the caller, and throws std::logic_error.
    T& value() & { return checked(*this); }
    const T& value() const& { return checked(*this); }
    T&& value() && { return std::move(checked(*this)); }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    T value_or(T otherwise) && { return has_value() ? std::get<0>(std::move(held_)) : std::move(otherwise); }

    /// Only where there is none. Asking anyway is a bug of the caller, and throws std::logic_error.
    const sdk::error& error() const {
        if (has_value()) {
            throw std::logic_error("starling: asked for the error of a call that went well");
        }
        return std::get<1>(held_);
    }

  private:
    template <class Self>
    static auto& checked(Self& self) {
        if (!self.has_value()) {
            throw std::logic_error("starling: asked for the value of a call that failed: " + self.error().message);
        }
        return std::get<0>(self.held_);
    }

    std::variant<T, sdk::error> held_;
};

}  // namespace starling::sdk

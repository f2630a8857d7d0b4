// Newcomers who ask a member to be let in, until a person there decides.
//
// Each is shown with the code that its own screen shows too (comparison_code.hpp). Who is approved gets a certificate;
// who leaves, is refused or waits too long is forgotten. Requests are bounded in number, and so are codes in time:
// whoever stands between a newcomer and the member can take part in both conversations again and again, and each code
// is a chance of one in a million to show here what the newcomer's screen shows. Node ids are free, so that the bound
// for all of them is the one that counts; while it is used up, nobody can ask, and invites still work.
//
// Owner: node. Thread: the network executor. It outlives every receive_greeting() that it is given to.
#pragma once

#include "admission/admission.hpp"
#include "aio/wake_up.hpp"
#include "base/node_id.hpp"
#include "base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::peers {

using steady_time = std::chrono::steady_clock::time_point;

/// How long a request waits for a person.
inline constexpr std::chrono::minutes ask_patience{10};
inline constexpr std::size_t max_waiting = 16;  // more than a person compares
inline constexpr std::size_t max_codes = 32;    // in ask_patience: 32 chances in a million for who stands between
inline constexpr std::size_t max_codes_of_one_node = 3;  // a minute: somebody who tries again, and no more

/// How often codes are made. Pure.
class ask_pace {
  public:
    /// Counts one more code. Error: admission::errc::full, when it is one too many.
    result<void> take(const node_id& newcomer, steady_time now);

  private:
    std::deque<std::pair<steady_time, node_id>> taken_;  // within ask_patience, so at most max_codes
};

class waiting_room {
  public:
    /// Writes the certificate of a newcomer who was approved. Errors: those of the caller, told to whoever approves.
    using admitter = std::function<result<admission::certificate>(const node_id& newcomer, admission::role as)>;

    struct request {
        std::string code;  // as "482 913"
        std::string name;  // as the newcomer calls itself; fit to be shown, and to be believed only with the code
        node_id who;
        steady_time since;
    };

    struct options {
        std::string name;  // of this node, as newcomers are shown it
        admitter admit;
        std::function<void(const request&)> on_request;  // somebody waits now; may be empty
        std::chrono::milliseconds patience = ask_patience;
    };

    waiting_room(boost::asio::any_io_executor executor, options how)
        : executor_(std::move(executor)), options_(std::move(how)) {}
    waiting_room(const waiting_room&) = delete;
    waiting_room& operator=(const waiting_room&) = delete;

    // For the person at this node.

    /// Who waits to be decided on, the oldest first.
    std::vector<request> waiting() const;

    /// Lets in who has this code, with or without its space. Errors: expired, when nobody waits with it (any more);
    /// those of the admitter, and then it still waits.
    result<void> approve(std::string_view code, admission::role as);

    /// Errors: expired.
    result<void> refuse(std::string_view code);

    // For the conversation with a newcomer (ask.hpp).

    const std::string& name() const { return options_.name; }
    std::chrono::milliseconds patience() const { return options_.patience; }

    /// Before a code is made. Error: full.
    result<void> begin(const node_id& newcomer, steady_time now);

  private:
    struct entry {
        entry(boost::asio::any_io_executor executor, request what, steady_time until)
            : shown(std::move(what)), expires(until), decided(std::move(executor)) {}

        request shown;
        steady_time expires;
        std::optional<result<admission::certificate>> decision;
        aio::wake_up decided;
    };
    using entries = std::list<entry>;

  public:
    /// A place in the room, until it is destroyed.
    class seat {
      public:
        seat(waiting_room& in, entries::iterator at) : room_(&in), at_(at) {}
        seat(const seat&) = delete;
        seat& operator=(const seat&) = delete;
        ~seat() { room_->entries_.erase(at_); }

        /// Errors: not_allowed, when the person refuses; expired.
        boost::asio::awaitable<result<admission::certificate>> decision();

      private:
        waiting_room* room_;
        entries::iterator at_;
    };

    /// Error: full, also when somebody waits with the same code already.
    result<std::unique_ptr<seat>> enter(request who);

  private:
    result<entry*> find(std::string_view code);

    boost::asio::any_io_executor executor_;
    options options_;
    ask_pace pace_;
    entries entries_;
};

}  // namespace starling::peers

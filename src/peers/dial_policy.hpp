// When to try to connect to whom. Pure.
//
// Of two members that see each other for the first time, the one with the lower id connects at once and the other one a
// little later, so that there is seldom a second connection to close. A failure is followed by a pause that doubles; a
// refusal, which will not change by itself, by a long one.
#pragma once

#include "base/node_id.hpp"

#include <chrono>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace starling::peers {

using namespace std::chrono_literals;

inline constexpr std::chrono::milliseconds second_caller_waits = 400ms;
inline constexpr std::chrono::milliseconds first_pause = 200ms;
inline constexpr std::chrono::milliseconds longest_pause = 10s;
inline constexpr std::chrono::milliseconds refused_pause = 30s;
inline constexpr std::size_t dials_at_once = 16;

class dial_policy {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    enum class urgency { member, contact };

    explicit dial_policy(const node_id& self) : self_(self) {}

    /// Of those that have no connection: may this one be tried now? If so it counts as being tried, until failed(),
    /// refused() or ended().
    bool take(const node_id& whom, urgency how, time_point now);

    /// When take() may say yes next for `whom`; max() while it is being tried.
    time_point next(const node_id& whom) const;

    /// `jitter`: uniform in [0, 1).
    void failed(const node_id& whom, time_point now, double jitter);
    void refused(const node_id& whom, time_point now);

    /// The try has led to a connection, or to nothing that is worth another.
    void ended(const node_id& whom);

    /// There is a connection, whoever made it, or it is not needed any more: earlier failures do not count. A try that
    /// is under way is still that: with two at a time, each connection would take the place of the one before, for
    /// ever.
    void forget(const node_id& whom);

    /// Something has changed for the better: it may be tried at once, unless it is being tried.
    void hurry(const node_id& whom, time_point now);

  private:
    struct attempt {
        bool under_way = false;
        unsigned failures = 0;
        time_point next;
    };

    node_id self_;
    std::size_t under_way_ = 0;
    std::unordered_map<node_id, attempt> tried_;
};

}  // namespace starling::peers

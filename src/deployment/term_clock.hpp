// The highest term that this node knows of one model, and how far others may push it.
//
// A term comes from outside: one of 2^64 - 1 would leave nothing greater for anybody, for ever. So there is a horizon,
// and a claim whose term is beyond it does not count: it is neither followed nor outbid. The horizon keeps
// max_term_leap ahead of what is known, and whatever is heard moves it by that much once in term_leap_pace at most. So
// terms of honest members, which grow by ones, always count; a node that has just started among members whose terms
// were pushed up catches up within seconds; and the end of the numbers is 136 years of lies away. What does not count
// leaves the terms that this node claims itself where they are: they count for everybody else.
#pragma once

#include "deployment/limits.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace starling::deployment {

class term_clock {
  public:
    /// Whether a claim of this term counts.
    bool hear(term_number term, time_point now) {
        const bool paced = !last_leap_ || now >= *last_leap_ + term_leap_pace;
        if (paced && term > horizon_ - max_term_leap / 2 && horizon_ < last_term - max_term_leap) {
            last_leap_ = now;
            horizon_ += max_term_leap;
        }
        if (term > horizon_) {
            return false;
        }
        known_ = std::max(known_, term);
        return true;
    }

    /// A term above all that counts; nothing at the end of the numbers.
    std::optional<term_number> next() {
        if (known_ == last_term) {
            return std::nullopt;
        }
        return ++known_;
    }

    term_number known() const { return known_; }

  private:
    static constexpr term_number last_term = std::numeric_limits<term_number>::max();

    term_number known_ = 0;
    term_number horizon_ = max_term_leap;
    std::optional<time_point> last_leap_;
};

}  // namespace starling::deployment

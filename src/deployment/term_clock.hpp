// The highest term that this node knows of one model, and how far others may push it.
//
// A term comes from outside: one of 2^64 - 1 would leave nothing greater for anybody, for ever. So a term that is more
// than max_term_leap ahead of what is known here is not credible: the claim that carries it does not count. It still
// moves what is known by one leap, once in term_leap_pace, so that a node which has just started among members whose
// terms were pushed up catches up with them within seconds. Pushing the clock to its end takes 136 years.
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
        if (term <= known_ || term - known_ <= max_term_leap) {
            known_ = std::max(known_, term);
            return true;
        }
        if (!last_leap_ || now >= *last_leap_ + term_leap_pace) {
            last_leap_ = now;
            known_ += max_term_leap;
        }
        return false;
    }

    /// A term above all that is known; nothing at the end of the numbers.
    std::optional<term_number> next() {
        if (known_ == std::numeric_limits<term_number>::max()) {
            return std::nullopt;
        }
        return ++known_;
    }

    term_number known() const { return known_; }

  private:
    term_number known_ = 0;
    std::optional<time_point> last_leap_;
};

}  // namespace starling::deployment

// Whom to probe next: everybody once in each round, in an order drawn anew for each (SWIM, section 4.3), so that every
// death is met within two rounds; a newcomer gets a random place in the rest of the round. Beside it a list of members
// that there is a reason to look at now.
#pragma once

#include "membership/dice.hpp"
#include "membership/member_table.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace starling::membership {

class probe_order {
  public:
    /// One that had its turn in this round waits for the next: who comes and goes cannot keep others from theirs.
    void add(slot s, dice& random);

    /// Nothing when nobody is live.
    std::optional<slot> next(const member_table& table, dice& random);

    /// Once in the list, however often there is a reason.
    void add_urgent(slot s);
    std::optional<slot> next_urgent(const member_table& table);
    bool has_urgent() const { return !urgent_.empty(); }

  private:
    enum flag : std::uint8_t { in_round = 1, is_urgent = 2 };
    std::uint8_t& flags(slot s);

    std::vector<slot> order_;
    std::size_t cursor_ = 0;
    std::deque<slot> urgent_;
    std::vector<std::uint8_t> flags_;  // by slot: keeps both lists free of doubles, as short as the table
};

}  // namespace starling::membership

// The randomness of one node: a counter over a seed (base/random.hpp), so that a run is repeated by its seed. The
// driver takes the seed from the operating system: whom we probe next is nobody's business.
#pragma once

#include "base/random.hpp"
#include "membership/types.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace starling::membership {

class dice {
  public:
    explicit dice(std::uint64_t seed) : seed_(seed) {}

    /// Uniform in [0, 1).
    double fraction() { return uniform_draw(seed_, count_++); }

    /// 0 … count - 1; 0 where there is nothing to choose from.
    std::size_t below(std::size_t count) {
        return std::min(static_cast<std::size_t>(fraction() * static_cast<double>(count)),
                        std::max<std::size_t>(count, 1) - 1);
    }

    duration up_to(duration most) {
        return duration(static_cast<duration::rep>(fraction() * static_cast<double>(most.count())));
    }

    template <class T>
    void shuffle(std::span<T> all) {
        for (std::size_t left = all.size(); left > 1; --left) {
            std::swap(all[left - 1], all[below(left)]);
        }
    }

  private:
    std::uint64_t seed_;
    std::uint64_t count_ = 0;
};

}  // namespace starling::membership

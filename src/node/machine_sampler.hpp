// How busy this machine is: processor and memory, in percent. Linux (/proc).
#pragma once

#include "route/health.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace starling::node {

struct cpu_ticks {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};

/// Pure: the first line of /proc/stat.
std::optional<cpu_ticks> parse_cpu(std::string_view proc_stat);

/// Owner thread: the network executor. The processor's share is that since the last sample, taken again at most twice a
/// second, so that many readers see one figure.
class machine_sampler {
  public:
    route::machine_load sample(std::chrono::steady_clock::time_point now);

  private:
    std::optional<std::chrono::steady_clock::time_point> last_;
    cpu_ticks ticks_;
    route::machine_load load_;
};

}  // namespace starling::node

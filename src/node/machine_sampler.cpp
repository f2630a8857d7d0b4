#include "node/machine_sampler.hpp"

#include "base/memory.hpp"
#include "base/system_text.hpp"

#include <array>

namespace starling::node {

namespace {

constexpr std::chrono::milliseconds sample_every{500};

}  // namespace

std::optional<cpu_ticks> parse_cpu(std::string_view proc_stat) {
    if (!proc_stat.starts_with("cpu ")) {
        return std::nullopt;
    }
    std::string_view line = proc_stat.substr(0, proc_stat.find('\n'));
    // user nice system idle iowait irq softirq steal; guest time is part of user time already.
    std::array<std::uint64_t, 8> fields{};
    for (std::uint64_t& field : fields) {
        const auto number = take_number(line);
        if (!number) {
            return std::nullopt;
        }
        field = *number;
    }
    cpu_ticks out;
    for (const std::uint64_t field : fields) {
        out.total += field;
    }
    out.busy = out.total - fields[3] - fields[4];
    return out;
}

route::machine_load machine_sampler::sample(std::chrono::steady_clock::time_point now) {
    if (last_ && now - *last_ < sample_every) {
        return load_;
    }
    last_ = now;
    constexpr double percent = 100.0;
    if (const auto ticks = parse_cpu(read_text("/proc/stat"))) {
        const std::uint64_t passed = ticks->total - ticks_.total;
        if (ticks->total > ticks_.total && ticks->busy >= ticks_.busy) {
            load_.cpu_percent = percent * static_cast<double>(ticks->busy - ticks_.busy) / static_cast<double>(passed);
        }
        ticks_ = *ticks;
    }
    const memory_bytes memory = machine_memory();
    if (memory.total > 0 && memory.available <= memory.total) {
        load_.memory_percent =
            percent * static_cast<double>(memory.total - memory.available) / static_cast<double>(memory.total);
    }
    return load_;
}

}  // namespace starling::node

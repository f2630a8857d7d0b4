#include "node/machine_sampler.hpp"

#include "base/memory.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

namespace starling::node {

namespace {

constexpr std::chrono::milliseconds sample_every{500};

std::string read_all(const char* path) {
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

/// The next number of the text, which is moved past it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    const std::size_t begin = text.find_first_of("0123456789");
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(begin);
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

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
    if (const auto ticks = parse_cpu(read_all("/proc/stat"))) {
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

#include "base/memory.hpp"

#include "base/system_text.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

namespace starling {

namespace {

/// The number after `name` at the beginning of a line.
std::optional<std::uint64_t> field(std::string_view text, std::string_view name) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (line.starts_with(name)) {
            std::string_view rest = line.substr(name.size());
            return take_number(rest);
        }
        at = end + 1;
    }
    return std::nullopt;
}

/// Every group from this process's own up to the root may have a limit.
memory_bytes with_group_limits(memory_bytes machine) {
    const std::string groups = read_text("/proc/self/cgroup");
    constexpr std::string_view version_2 = "0::/";
    const std::size_t at = groups.find(version_2);
    if (at == std::string::npos) {
        return machine;
    }
    const std::size_t begin = at + version_2.size();
    std::filesystem::path group = groups.substr(begin, groups.find('\n', begin) - begin);
    const std::filesystem::path root = "/sys/fs/cgroup";
    for (;; group = group.parent_path()) {
        const auto folder = root / group;
        if (const auto limits =
                parse_group_memory(read_text(folder / "memory.max"), read_text(folder / "memory.current"),
                                   read_text(folder / "memory.stat"))) {
            machine = tighter(machine, *limits);
        }
        if (group.empty()) {
            return machine;
        }
    }
}

}  // namespace

std::optional<memory_bytes> parse_memory(std::string_view proc_meminfo) {
    const auto total = field(proc_meminfo, "MemTotal:");
    const auto available = field(proc_meminfo, "MemAvailable:");
    if (!total || !available) {
        return std::nullopt;
    }
    constexpr std::uint64_t bytes_per_kilobyte = 1024;
    return memory_bytes{.total = *total * bytes_per_kilobyte, .available = *available * bytes_per_kilobyte};
}

std::optional<memory_bytes> parse_group_memory(std::string_view limit, std::string_view used, std::string_view stat) {
    const auto most = take_number(limit);  // "max" without a limit
    const auto now = take_number(used);
    if (!most || !now) {
        return std::nullopt;
    }
    const std::uint64_t held = *now - std::min(*now, field(stat, "inactive_file ").value_or(0));
    return memory_bytes{.total = *most, .available = *most - std::min(*most, held)};
}

memory_bytes tighter(memory_bytes a, memory_bytes b) {
    return {.total = std::min(a.total, b.total), .available = std::min(a.available, b.available)};
}

memory_bytes machine_memory() {
    const auto machine = parse_memory(read_text("/proc/meminfo"));
    return machine ? with_group_limits(*machine) : memory_bytes{};
}

}  // namespace starling

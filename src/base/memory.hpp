// How much memory this process may use: what the machine has, or less where a container (cgroup v2) sets a limit.
// Linux; zeros elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace starling {

struct memory_bytes {
    std::uint64_t total = 0;
    std::uint64_t available = 0;
};

/// Pure: /proc/meminfo.
std::optional<memory_bytes> parse_memory(std::string_view proc_meminfo);

/// Pure: memory.max, memory.current and memory.stat of one control group. Pages of files that nobody used lately
/// count as available. Nothing where the group has no limit.
std::optional<memory_bytes> parse_group_memory(std::string_view limit, std::string_view used, std::string_view stat);

/// Pure: the smaller of both, value by value.
memory_bytes tighter(memory_bytes a, memory_bytes b);

/// What the system says now; zeros where it cannot be read.
memory_bytes machine_memory();

}  // namespace starling

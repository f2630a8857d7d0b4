// The language of the control socket: one line asks, one line answers. Pure. docs/netlab.md has the commands.
#pragma once

#include "netlab/errc.hpp"
#include "netlab/types.hpp"

#include <span>
#include <string>
#include <string_view>

namespace starling::netlab {

constexpr double time_max_ms = 60'000;     // longer than any patience that is worth testing
constexpr double rate_max_mbit = 100'000;  // far beyond what one machine can switch

/// One line without its end. Every host in the command exists.
result<command> parse_command(std::string_view line, host_index hosts);

/// {"hosts":[{"host":1,"frames":…,…},…]}
std::string stats_json(std::span<const host_counters> counters);

}  // namespace starling::netlab

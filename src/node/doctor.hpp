// What could keep a node from working well on this machine, and what to do about it.
#pragma once

#include "settings/config.hpp"

#include <string>
#include <vector>

namespace starling::node {

enum class finding_state { ok, warn, fail };

struct finding {
    finding_state state = finding_state::ok;
    std::string subject;
    std::string text;
    std::string advice;  // empty when there is nothing to do
};

/// Looks, and changes nothing but for making the data directory. Blocks for a moment; contacts nobody.
std::vector<finding> diagnose(const settings::config& settings, bool has_starter);

}  // namespace starling::node

// What the owner of a machine has chosen in the console about sharing it: <data-dir>/sharing.json, and how that goes
// together with the settings of the start. What was given there (command line, configuration file, environment) wins.
#pragma once

#include "api/sharing_view.hpp"
#include "base/result.hpp"
#include "node/errc.hpp"
#include "settings/config.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace starling::node {

/// The least that can be lent: what the smallest useful model takes.
inline constexpr std::uint64_t least_lent_bytes = 256'000'000;

/// Nothing: never chosen.
struct sharing_choices {
    std::optional<bool> sharing;
    std::optional<std::uint64_t> memory_bytes;
    std::optional<bool> reachable;
    std::optional<api::who_joins> who;

    bool operator==(const sharing_choices&) const = default;
};

/// No choices when there is no such file. Error: errc::data_dir, when it cannot be read or is damaged; it is left as it
/// is, for what it said may matter to its owner.
result<sharing_choices> load_sharing(const std::filesystem::path& file);

/// Replaces it as a whole. Error: errc::data_dir.
result<void> save_sharing(const std::filesystem::path& file, const sharing_choices& what);

struct chosen_settings {
    settings::config settings;
    std::vector<std::string> fixed;  // of reachable, who, memory: given at the start, so no choice changes them
};

/// Pure. `reachable` listens for other nodes on all IPv4 addresses; `invite_or_ask` is --lan.
chosen_settings lay_over(settings::config given, const sharing_choices& chosen);

}  // namespace starling::node

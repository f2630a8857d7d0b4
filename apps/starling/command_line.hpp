// What the verbs share: flags from the table of settings, the configuration merged from its sources, messages and exit
// codes. The only place that reads the environment.
#pragma once

#include "base/result.hpp"
#include "settings/config.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace starling::cli {

/// 0 done, 1 failed with a message, 2 wrong usage.
enum exit_code : int { done = 0, failed = 1, wrong_usage = 2, interrupted = 130 };

/// What was given on the command line, before it is merged.
struct given_settings {
    std::string config_file;
    settings::named_values flags;
};

/// Adds --config and the flags of these settings to a verb; of all settings for an empty list.
void add_settings(CLI::App& verb, given_settings& into, std::initializer_list<std::string_view> flags = {});

/// Defaults < file < environment < flags.
result<settings::config> load_config(const given_settings& given);

/// "starling: <message>" on stderr; gives the exit code that fits. Nothing is said of node::errc::stopped: whoever
/// pressed Ctrl-C knows.
exit_code report(const error& what);

/// A path of this platform for the user's data: $XDG_DATA_HOME/starling, else ~/.local/share/starling.
std::filesystem::path default_data_dir();

}  // namespace starling::cli

#include "command_line.hpp"

#include "node/errc.hpp"
#include "node/private_file.hpp"
#include "settings/table.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace starling::cli {

namespace {

/// Nobody writes a longer configuration by hand.
constexpr std::size_t max_config_bytes = std::size_t{1} * 1024 * 1024;

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::string{} : std::string(value);
}

settings::named_values documented_environment() {
    settings::named_values out;
    for (const settings::setting& row : settings::all_settings()) {
        const std::string name(row.environment);
        if (const std::string value = name.empty() ? name : environment(name); !value.empty()) {
            out.emplace_back(name, value);
        }
    }
    if (const std::string token = environment("HF_TOKEN"); !token.empty()) {
        out.emplace_back("HF_TOKEN", token);
    }
    return out;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
        return "starling";
    }
    return name.data();
}

void add_setting(CLI::App& verb, given_settings& into, const settings::setting& row) {
    const std::string flag = "--" + std::string(row.flag);
    const std::string name(row.flag);
    std::string help(row.help);
    if (!row.environment.empty()) {
        help += " (also " + std::string(row.environment) + ")";
    }
    CLI::Option* option = nullptr;
    switch (row.kind) {
        case settings::setting_kind::toggle:
            option = verb.add_flag_function(
                flag, [&into, name](std::int64_t) { into.flags.emplace_back(name, "true"); }, help);
            break;
        case settings::setting_kind::list:
            option = verb.add_option_function<std::vector<std::string>>(
                flag,
                [&into, name](const std::vector<std::string>& values) {
                    for (const std::string& value : values) {
                        into.flags.emplace_back(name, value);
                    }
                },
                help);
            option->allow_extra_args(false);
            break;
        case settings::setting_kind::number:
        case settings::setting_kind::text:
            option = verb.add_option_function<std::string>(
                flag, [&into, name](const std::string& value) { into.flags.emplace_back(name, value); }, help);
            option->take_last();
            break;
    }
    if (!row.argument.empty()) {
        option->type_name(std::string(row.argument));
    }
    option->group("Settings");
}

/// The file named with --config must exist; the one in the data directory may.
result<void> apply_file(settings::config& into, const std::string& named) {
    const std::filesystem::path path = named.empty() ? into.data_dir / "config.toml" : std::filesystem::path(named);
    std::error_code failed;
    if (named.empty() && !std::filesystem::exists(path, failed)) {
        return {};
    }
    auto text = node::read_small_file(path, max_config_bytes);
    if (!text) {
        return fail(settings::errc::bad_config, text.error().message);
    }
    return settings::apply_toml(into, *text, path.string());
}

/// Libraries begin some messages with a small letter, because they are used within others.
std::string sentence(std::string text) {
    const auto word_end = std::find_if(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) == 0; });
    if (word_end != text.begin() && (word_end == text.end() || *word_end == ' ')) {
        text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    }
    return text;
}

}  // namespace

std::filesystem::path default_data_dir() {
    if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) {
        return std::filesystem::path(data) / "starling";
    }
    if (const std::string home = environment("HOME"); !home.empty()) {
        return std::filesystem::path(home) / ".local" / "share" / "starling";
    }
    return {};
}

void add_settings(CLI::App& verb, given_settings& into, std::initializer_list<std::string_view> flags) {
    verb.add_option("--config", into.config_file, "a configuration file (default: config.toml in the data directory)")
        ->type_name("FILE")
        ->group("Settings");
    for (const settings::setting& row : settings::all_settings()) {
        if (flags.size() == 0 || std::find(flags.begin(), flags.end(), row.flag) != flags.end()) {
            add_setting(verb, into, row);
        }
    }
}

result<settings::config> load_config(const given_settings& given) {
    const settings::named_values variables = documented_environment();
    // Environment and flags say where the data directory is, and so where the file is that comes before both.
    settings::config place;
    place.data_dir = default_data_dir();
    if (auto applied = settings::apply_environment(place, variables); !applied) {
        return applied.error();
    }
    if (auto applied = settings::apply_flags(place, given.flags); !applied) {
        return applied.error();
    }

    settings::config out;
    out.data_dir = place.data_dir;
    out.name = host_name();
    if (auto applied = apply_file(out, given.config_file); !applied) {
        return applied.error();
    }
    if (auto applied = settings::apply_environment(out, variables); !applied) {
        return applied.error();
    }
    if (auto applied = settings::apply_flags(out, given.flags); !applied) {
        return applied.error();
    }
    return out;
}

exit_code report(const error& what) {
    if (what == node::errc::stopped) {
        return interrupted;
    }
    std::fprintf(stderr, "starling: %s\n", sentence(what.message).c_str());
    const bool usage =
        what == settings::errc::wrong_usage || what == settings::errc::bad_config || what == settings::errc::refused;
    return usage ? wrong_usage : failed;
}

}  // namespace starling::cli

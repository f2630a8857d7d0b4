#include "settings/config.hpp"

#include "settings/nearest.hpp"
#include "settings/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

namespace starling::settings {

namespace {

/// Text from the environment or the command line, as the kind that the setting wants.
std::optional<setting_value> convert(setting_kind kind, const std::string& text) {
    switch (kind) {
        case setting_kind::text: return text;
        case setting_kind::list: return std::vector<std::string>{text};
        case setting_kind::number: {
            std::int64_t number = 0;
            const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failed != std::errc{} || end != text.data() + text.size()) {
                return std::nullopt;
            }
            return number;
        }
        case setting_kind::toggle:
            if (text == "true" || text == "1") {
                return true;
            }
            if (text == "false" || text == "0") {
                return false;
            }
            return std::nullopt;
    }
    return std::nullopt;
}

const char* kind_name(setting_kind kind) {
    switch (kind) {
        case setting_kind::text: return "a text";
        case setting_kind::list: return "a list of texts";
        case setting_kind::number: return "a whole number";
        case setting_kind::toggle: return "true or false";
    }
    return "";
}

result<void> apply_text(config& into, const setting& row, const std::string& text, const std::string& source) {
    const auto value = convert(row.kind, text);
    if (!value) {
        return fail(errc::wrong_usage, source + " must be " + kind_name(row.kind) + ", not '" + text + "'.");
    }
    if (auto applied = row.apply(into, *value); !applied) {
        return fail(errc::wrong_usage, source + " " + applied.error().message + ".");
    }
    return {};
}

/// The name that the hub's own tools use.
constexpr std::string_view hub_token_variable = "HF_TOKEN";

bool is_loopback(std::string_view address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace

result<void> apply_environment(config& into, const named_values& environment) {
    for (const auto& [name, value] : environment) {
        if (name == hub_token_variable) {
            into.hub_token = value;
        }
    }
    for (const setting& row : all_settings()) {
        const auto found = std::find_if(environment.begin(), environment.end(),
                                        [&row](const auto& pair) { return pair.first == row.environment; });
        // A variable that is set to nothing counts as not set, as the shell's users expect.
        if (row.environment.empty() || found == environment.end() || found->second.empty()) {
            continue;
        }
        if (auto applied = apply_text(into, row, found->second, "The environment variable " + found->first); !applied) {
            return applied;
        }
    }
    return {};
}

result<void> apply_flags(config& into, const named_values& flags) {
    std::map<std::string_view, std::vector<std::string>> lists;
    for (const auto& [name, text] : flags) {
        const auto rows = all_settings();
        const auto row =
            std::find_if(rows.begin(), rows.end(), [&wanted = name](const setting& s) { return s.flag == wanted; });
        if (row == rows.end()) {
            return fail(errc::wrong_usage, "There is no flag --" + name + ".");
        }
        if (row->kind == setting_kind::list) {
            lists[row->flag].push_back(text);
            continue;
        }
        if (auto applied = apply_text(into, *row, text, "--" + name); !applied) {
            return applied;
        }
    }
    for (const setting& row : all_settings()) {
        const auto list = lists.find(row.flag);
        if (list == lists.end()) {
            continue;
        }
        if (auto applied = row.apply(into, setting_value(list->second)); !applied) {
            return fail(errc::wrong_usage, "--" + std::string(row.flag) + " " + applied.error().message + ".");
        }
    }
    return {};
}

result<void> check(const config& settings) {
    if (!settings.upstream.empty() && settings.models.empty()) {
        return fail(
            errc::wrong_usage,
            "An upstream server needs the name of a model there; add --model NAME (or models in the configuration).");
    }
    if (settings.upstream.empty() && !settings.upstream_key_file.empty()) {
        return fail(errc::wrong_usage,
                    "There is a key file for an upstream server, but no server; add --upstream URL.");
    }
    if (!settings.upstream.empty() && !settings.draft.empty()) {
        return fail(
            errc::wrong_usage,
            "A draft model works inside this node's engine; an upstream server has its own. Leave --draft out.");
    }
    if (settings.ask && !settings.lan) {
        return fail(errc::wrong_usage,
                    "--ask asks members that are found on the local network, and --lan is what finds them; give both.");
    }
    if (settings.ask && !settings.join.empty()) {
        return fail(errc::wrong_usage,
                    "An invite needs nobody to be asked, and --ask needs no invite; give --join or --ask, not both.");
    }
    if (!is_loopback(settings.bind) && settings.api_key_file.empty()) {
        return fail(errc::refused, "Listening on " + settings.bind +
                                       " without an API key would let everybody who reaches this machine use it; add "
                                       "--api-key-file FILE, or leave --bind at 127.0.0.1.");
    }
    return {};
}

}  // namespace starling::settings

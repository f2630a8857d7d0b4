#include "netlab/control_codec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace starling::netlab {

namespace {

/// How often hosts are named, and the number that follows them.
struct rule {
    std::string_view name;
    verb what;
    std::array<bool, 3> takes_hosts;  // none, one, two
    double value_max;                 // 0: takes no value
    std::string_view usage;
};

constexpr std::array<bool, 3> one_or_two{false, true, true};
constexpr std::array<bool, 3> none_or_two{true, false, true};
constexpr double all_percent = 100;

constexpr std::array rules{
    rule{"cut", verb::cut, one_or_two, 0, "cut HOST [HOST]"},
    rule{"heal", verb::heal, one_or_two, 0, "heal HOST [HOST]"},
    rule{"block", verb::block, {false, false, true}, 0, "block FROM TO"},
    rule{"delay", verb::delay, none_or_two, time_max_ms, "delay [HOST HOST] MS"},
    rule{"jitter", verb::jitter, none_or_two, time_max_ms, "jitter [HOST HOST] MS"},
    rule{"loss", verb::loss, none_or_two, all_percent, "loss [HOST HOST] PERCENT"},
    rule{"duplicate", verb::duplicate, none_or_two, all_percent, "duplicate [HOST HOST] PERCENT"},
    rule{"reorder", verb::reorder, none_or_two, all_percent, "reorder [HOST HOST] PERCENT"},
    rule{"rate", verb::rate, {true, true, false}, rate_max_mbit, "rate [HOST] MBIT"},
    rule{"stats", verb::stats, {true, false, false}, 0, "stats"},
};

std::vector<std::string_view> words_of(std::string_view line) {
    constexpr std::string_view blanks = " \t\r";
    std::vector<std::string_view> out;
    for (;;) {
        line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
        if (line.empty()) {
            return out;
        }
        out.push_back(line.substr(0, line.find_first_of(blanks)));
        line.remove_prefix(out.back().size());
    }
}

template <class T>
std::optional<T> number(std::string_view text) {
    T out{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc{} && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

error unknown_command(std::string_view name) {
    std::vector<std::string_view> names;
    for (const rule& rule : rules) {
        names.push_back(rule.name);
    }
    return fail(errc::unknown_command,
                fmt::format("there is no command \"{}\"; there are {}", name, fmt::join(names, ", ")));
}

error bad_arguments(const rule& rule, std::string_view why) {
    return fail(errc::bad_arguments, fmt::format("{}; it is used as: {}", why, rule.usage));
}

}  // namespace

result<command> parse_command(std::string_view line, host_index hosts) {
    const auto words = words_of(line);
    const std::string_view name = words.empty() ? "" : words.front();
    const auto* const rule = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.name == name; });
    if (rule == rules.end()) {
        return unknown_command(name);
    }
    const std::size_t values = rule->value_max > 0 ? 1 : 0;
    const std::size_t named = words.size() - 1 - std::min(values, words.size() - 1);
    if (words.size() < 1 + values || named >= rule->takes_hosts.size() || !rule->takes_hosts[named]) {
        return bad_arguments(*rule, fmt::format("\"{}\" cannot have {} arguments", name, words.size() - 1));
    }
    command out{.what = rule->what};
    for (std::size_t i = 1; i <= named; ++i) {
        const auto host = number<host_index>(words[i]);
        if (!host || *host < 1 || *host > hosts) {
            return bad_arguments(*rule, fmt::format("there is no host {}, only 1 to {}", words[i], hosts));
        }
        out.hosts.push_back(*host - 1);
    }
    if (named == 2 && out.hosts[0] == out.hosts[1]) {
        return bad_arguments(*rule, "the two hosts must differ");
    }
    if (values == 1) {
        const auto value = number<double>(words.back());
        if (!value || !std::isfinite(*value) || *value < 0 || *value > rule->value_max) {
            return bad_arguments(*rule, fmt::format("{} is not a number from 0 to {}", words.back(), rule->value_max));
        }
        out.value = *value;
    }
    return out;
}

std::string stats_json(std::span<const host_counters> counters) {
    std::vector<std::string> hosts;
    for (const host_counters& c : counters) {
        hosts.push_back(
            fmt::format(R"({{"host":{},"frames":{},"bytes":{},"received_frames":{},"received_bytes":{},"dropped":{},)"
                        R"("dropped_cut":{},"dropped_loss":{},"dropped_queue":{},"dropped_unknown":{}}})",
                        hosts.size() + 1, c.frames, c.bytes, c.received_frames, c.received_bytes, c.dropped(),
                        c.dropped_cut, c.dropped_loss, c.dropped_queue, c.dropped_unknown));
    }
    return fmt::format(R"({{"hosts":[{}]}})", fmt::join(hosts, ","));
}

}  // namespace starling::netlab

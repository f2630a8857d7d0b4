#include "openai/common_fields.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace starling::openai {

namespace {

constexpr std::int64_t max_int32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t max_top_k = 1'000'000;         // more than any vocabulary
constexpr double max_repeat_penalty = 10.0;           // far beyond where text turns to noise
constexpr std::int64_t max_repeat_last_n = 65'536;    // the penalty looks at each of them at every token
constexpr std::size_t max_grammar_bytes = 64 * 1024;  // grammars are compiled for each request

std::uint64_t read_seed(const field_reader& fields, std::uint64_t fallback) {
    const auto* value = fields.find("seed");
    if (value != nullptr && value->is_uint64()) {
        return value->get_uint64();
    }
    const auto seed =
        fields.integer("seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    return seed ? static_cast<std::uint64_t>(*seed) : fallback;
}

void read_logit_bias(const field_reader& fields, engine::sampling& into) {
    const auto* biases = fields.object("logit_bias");
    if (biases == nullptr) {
        return;
    }
    if (biases->size() > max_logit_bias) {
        fields.complain(errc::invalid_value, "logit_bias",
                        fmt::format("'logit_bias' may name at most {} tokens.", max_logit_bias));
        return;
    }
    const field_reader entries(*biases, "logit_bias", fields.found());
    for (const auto& entry : *biases) {
        const std::string_view key = entry.key();
        engine::token_id token = 0;
        const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), token);
        if (failed != std::errc{} || end != key.data() + key.size() || token < 0) {
            entries.complain(errc::invalid_value, key.substr(0, 32),
                             "The keys of 'logit_bias' must be token ids, written as whole numbers.");
            return;
        }
        if (const auto bias = entries.number(key, -100.0, 100.0)) {
            into.logit_bias.emplace_back(token, static_cast<float>(*bias));
        }
    }
}

void read_sampling(const field_reader& fields, std::uint64_t seed, engine::sampling& into) {
    const auto number = [&](std::string_view name, double least, double most, float& value) {
        if (const auto read = fields.number(name, least, most)) {
            value = static_cast<float>(*read);
        }
    };
    into.seed = read_seed(fields, seed);
    number("temperature", 0.0, 2.0, into.temperature);
    number("top_p", 0.0, 1.0, into.top_p);
    number("min_p", 0.0, 1.0, into.min_p);
    number("frequency_penalty", -2.0, 2.0, into.frequency_penalty);
    number("presence_penalty", -2.0, 2.0, into.presence_penalty);
    number("repeat_penalty", 0.01, max_repeat_penalty, into.repeat_penalty);
    if (const auto top_k = fields.integer("top_k", -1, max_top_k)) {
        into.top_k = static_cast<std::int32_t>(std::max<std::int64_t>(*top_k, 0));  // -1 is "off" to some clients
    }
    if (const auto last_n = fields.integer("repeat_last_n", 0, max_repeat_last_n)) {
        into.penalty_last_n = static_cast<std::int32_t>(*last_n);
    }
    read_logit_bias(fields, into);
}

void add_stop(const field_reader& fields, std::string_view stop, std::vector<std::string>& into) {
    if (stop.empty() || stop.size() > max_stop_bytes) {
        fields.complain(errc::invalid_value, "stop",
                        fmt::format("Each string in 'stop' must have from 1 to {} bytes.", max_stop_bytes));
        return;
    }
    into.emplace_back(stop);
}

void read_stop(const field_reader& fields, std::vector<std::string>& into) {
    const auto* value = fields.find("stop");
    if (value == nullptr) {
        return;
    }
    if (value->is_string()) {
        add_stop(fields, value->get_string(), into);
        return;
    }
    if (!value->is_array() || value->get_array().size() > max_stop_strings) {
        fields.complain(errc::invalid_value, "stop",
                        fmt::format("'stop' must be a string or an array of at most {} strings.", max_stop_strings));
        return;
    }
    for (const auto& entry : value->get_array()) {
        if (!entry.is_string()) {
            fields.complain(errc::invalid_value, "stop",
                            fmt::format("'stop' must hold strings only, but it holds {}.", kind_of(entry)));
            return;
        }
        add_stop(fields, entry.get_string(), into);
    }
}

}  // namespace

void read_generation_fields(const field_reader& fields, std::uint64_t seed, engine::generate_request& into) {
    into.model = fields.string("model").value_or(std::string_view{});
    read_sampling(fields, seed, into.sampling);
    read_stop(fields, into.stop);
    into.ignore_end = fields.boolean("ignore_eos").value_or(false);
}

stream_options read_stream_options(const field_reader& fields) {
    stream_options options;
    options.stream = fields.boolean("stream").value_or(false);
    const auto* nested = fields.object("stream_options");
    if (nested == nullptr) {
        return options;
    }
    if (!options.stream) {
        fields.complain(errc::invalid_value, "stream_options",
                        "'stream_options' is only allowed when 'stream' is true.");
        return options;
    }
    const field_reader inner(*nested, "stream_options", fields.found());
    options.include_usage = inner.boolean("include_usage").value_or(false);
    return options;
}

std::int32_t read_choices(const field_reader& fields) {
    return static_cast<std::int32_t>(fields.integer("n", 1, max_choices).value_or(1));
}

void read_grammar(const field_reader& fields, engine::generate_request& into) {
    const auto grammar = fields.string("grammar").value_or(std::string_view{});
    if (grammar.size() > max_grammar_bytes) {
        fields.complain(errc::invalid_value, "grammar",
                        fmt::format("'grammar' may have at most {} bytes.", max_grammar_bytes));
        return;
    }
    into.grammar = grammar;
}

std::vector<engine::token_id> read_tokens(const json::array& array, const std::string& path, complaints& found) {
    std::vector<engine::token_id> tokens;
    tokens.reserve(array.size());
    for (const auto& entry : array) {
        if (!entry.is_int64() || entry.get_int64() < 0 || entry.get_int64() > max_int32) {
            found.add(errc::invalid_value, path,
                      fmt::format("'{}' must hold token ids (whole numbers from 0) and nothing else.", path));
            return {};
        }
        tokens.push_back(static_cast<engine::token_id>(entry.get_int64()));
    }
    return tokens;
}

}  // namespace starling::openai

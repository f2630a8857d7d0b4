#include "settings/table.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace starling::settings {

namespace {

constexpr std::int64_t max_port = 65'535;
/// No model has a longer context.
constexpr std::int64_t max_context = 16'777'216;
/// Each slot is a KV cache of its own size.
constexpr std::int64_t max_slots = 256;
constexpr std::int64_t max_threads = 1'024;
constexpr std::int64_t max_layers = 10'000;
/// Each waiting request holds its prompt in memory.
constexpr std::int64_t max_queue = 65'536;
/// An hour: longer than any client waits.
constexpr std::int64_t max_wait_s = 3'600;
/// Each machine adds a trip through the network to every token.
constexpr std::int32_t max_split = 16;
/// A name is for people; it is shown in tables.
constexpr std::size_t max_name_bytes = 64;

result<std::int64_t> in_range(const setting_value& value, std::int64_t least, std::int64_t most) {
    const std::int64_t number = std::get<std::int64_t>(value);
    if (number < least || number > most) {
        return fail(errc::bad_config, "must be between " + std::to_string(least) + " and " + std::to_string(most) +
                                          ", not " + std::to_string(number));
    }
    return number;
}

template <class Number>
result<void> set_number(Number& into, const setting_value& value, std::int64_t least, std::int64_t most) {
    auto number = in_range(value, least, most);
    if (!number) {
        return number.error();
    }
    into = static_cast<Number>(*number);
    return {};
}

const std::string& text_of(const setting_value& value) {
    return std::get<std::string>(value);
}

const std::vector<std::string>& list_of(const setting_value& value) {
    return std::get<std::vector<std::string>>(value);
}

result<void> set_text(std::string& into, const setting_value& value) {
    if (text_of(value).empty()) {
        return fail(errc::bad_config, "must not be empty");
    }
    into = text_of(value);
    return {};
}

result<void> set_toggle(bool& into, const setting_value& value) {
    into = std::get<bool>(value);
    return {};
}

result<void> set_path(std::filesystem::path& into, const setting_value& value) {
    const std::string& text = text_of(value);
    if (text.empty() || text.find('\0') != std::string::npos) {
        return fail(errc::bad_config, "must be the path of a file or directory");
    }
    into = text;
    return {};
}

result<void> set_list(std::vector<std::string>& into, const setting_value& value) {
    for (const std::string& item : list_of(value)) {
        if (item.empty()) {
            return fail(errc::bad_config, "must not have an empty entry");
        }
    }
    into = list_of(value);
    return {};
}

result<void> set_name(config& into, const setting_value& value) {
    const std::string& text = text_of(value);
    for (const unsigned char c : text) {
        if (c < 0x20 || c == 0x7F) {
            return fail(errc::bad_config, "must be a name without control characters");
        }
    }
    if (text.empty() || text.size() > max_name_bytes) {
        return fail(errc::bad_config, "must be a name of 1 to " + std::to_string(max_name_bytes) + " bytes");
    }
    into.name = text;
    return {};
}

result<void> set_log_format(config& into, const setting_value& value) {
    if (text_of(value) == "pretty") {
        into.log_format = log_format::pretty;
    } else if (text_of(value) == "json") {
        into.log_format = log_format::json;
    } else {
        return fail(errc::bad_config, "must be pretty or json");
    }
    return {};
}

result<void> set_log_level(config& into, const setting_value& value) {
    constexpr std::array<std::pair<std::string_view, log_level>, 4> levels{{{"debug", log_level::debug},
                                                                            {"info", log_level::info},
                                                                            {"warn", log_level::warn},
                                                                            {"error", log_level::error}}};
    for (const auto& [name, level] : levels) {
        if (text_of(value) == name) {
            into.log_level = level;
            return {};
        }
    }
    return fail(errc::bad_config, "must be debug, info, warn or error");
}

result<void> set_split(config& into, const setting_value& value) {
    const std::string& text = text_of(value);
    into.split_stages = 0;
    if (text == "auto") {
        into.split = split_mode::automatic;
        return {};
    }
    if (text == "never") {
        into.split = split_mode::never;
        return {};
    }
    std::int32_t stages = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), stages);
    if (failed != std::errc() || end != text.data() + text.size() || stages < 1 || stages > max_split) {
        return fail(errc::bad_config,
                    "must be auto, never, or a number of machines from 1 to " + std::to_string(max_split));
    }
    into.split = split_mode::exactly;
    into.split_stages = stages;
    return {};
}

result<void> set_activations(config& into, const setting_value& value) {
    if (text_of(value) == "f16") {
        into.activations = activations::f16;
    } else if (text_of(value) == "f32") {
        into.activations = activations::f32;
    } else {
        return fail(errc::bad_config, "must be f16 or f32");
    }
    return {};
}

/// "8G", "512M": in powers of ten, as memory is shown everywhere here.
result<void> set_memory(config& into, const setting_value& value) {
    const std::string& text = text_of(value);
    double amount = 0.0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), amount);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    double factor = 0.0;
    for (const auto& [name, bytes] : {std::pair{"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}) {
        factor = unit == name || (unit.size() == 2 && unit[0] == name[0] && unit[1] == 'B') ? bytes : factor;
    }
    constexpr double most = 1e18;
    if (failed != std::errc() || factor == 0.0 || !(amount > 0.0) || amount * factor > most) {
        return fail(errc::bad_config, "must be an amount of memory like 512M or 12G");
    }
    into.memory_bytes = static_cast<std::uint64_t>(amount * factor);
    return {};
}

constexpr std::array table{
    setting{"data_dir", "data-dir", "STARLING_DATA_DIR", setting_kind::text, "DIR",
            "where models, the node's key and the history are kept",
            [](config& c, const setting_value& v) { return set_path(c.data_dir, v); }},
    setting{"name", "name", "", setting_kind::text, "NAME", "what people call this node (default: the host name)",
            set_name},
    setting{"models", "model", "", setting_kind::list, "REF",
            "a model to serve: starter, a path to a .gguf file, or hf://owner/repo/file.gguf; can be repeated",
            [](config& c, const setting_value& v) { return set_list(c.models, v); }},
    setting{"draft", "draft", "STARLING_DRAFT", setting_kind::text, "REF",
            "a small model with the same vocabulary that drafts for the models, which check what it proposes",
            [](config& c, const setting_value& v) { return set_text(c.draft, v); }},
    setting{"upstream", "upstream", "", setting_kind::text, "URL",
            "an OpenAI-compatible server that answers for the models named with --model",
            [](config& c, const setting_value& v) { return set_text(c.upstream, v); }},
    setting{"upstream_key_file", "upstream-key-file", "", setting_kind::text, "FILE",
            "a file with the API key for the upstream server",
            [](config& c, const setting_value& v) { return set_path(c.upstream_key_file, v); }},
    setting{"bind", "bind", "", setting_kind::text, "ADDRESS",
            "the address to listen on (default 127.0.0.1); any other needs --api-key-file",
            [](config& c, const setting_value& v) { return set_text(c.bind, v); }},
    setting{"port", "port", "", setting_kind::number, "N",
            "the port of the API and the console (default 9337; 0: a free one)",
            [](config& c, const setting_value& v) { return set_number(c.port, v, 0, max_port); }},
    setting{"peer_port", "peer-port", "", setting_kind::number, "N",
            "the UDP port for other nodes (default 9338; 0: a free one)",
            [](config& c, const setting_value& v) { return set_number(c.peer_port, v, 0, max_port); }},
    setting{"peer_bind", "peer-bind", "", setting_kind::text, "ADDRESS",
            "the address to listen on for other nodes (default: as --bind); only members of the mesh get in",
            [](config& c, const setting_value& v) { return set_text(c.peer_bind, v); }},
    setting{"join", "join", "STARLING_JOIN", setting_kind::text, "INVITE",
            "an invite to the mesh to join (default: the last mesh, else one of its own)",
            [](config& c, const setting_value& v) { return set_text(c.join, v); }},
    setting{"lan", "lan", "", setting_kind::toggle, "",
            "find members of the mesh on the local network by multicast, and let newcomers there ask to join",
            [](config& c, const setting_value& v) { return set_toggle(c.lan, v); }},
    setting{"ask", "ask", "", setting_kind::toggle, "",
            "with --lan: in no mesh yet, ask a member on the local network to be let in, by a code on both screens",
            [](config& c, const setting_value& v) { return set_toggle(c.ask, v); }},
    setting{"standby", "standby", "", setting_kind::toggle, "",
            "load the models only when the mesh asks for them and no one else serves them",
            [](config& c, const setting_value& v) { return set_toggle(c.standby, v); }},
    setting{"worker_wait_s", "worker-wait", "", setting_kind::number, "SECONDS",
            "how long a request waits for a worker of the mesh when there is none (default 30)",
            [](config& c, const setting_value& v) { return set_number(c.worker_wait_s, v, 0, max_wait_s); }},
    setting{"stall_timeout_s", "stall-timeout", "", setting_kind::number, "SECONDS",
            "a worker that gives no token for so long is given up, and another goes on (default 30)",
            [](config& c, const setting_value& v) { return set_number(c.stall_timeout_s, v, 1, max_wait_s); }},
    setting{"split", "split", "", setting_kind::text, "HOW",
            "cut a model by layers over several nodes: auto (when it does not fit on one), never, or on how many",
            set_split},
    setting{"activations", "activations", "", setting_kind::text, "TYPE",
            "how the parts of a split model exchange hidden states: f16 (default) or f32", set_activations},
    setting{"memory", "memory", "", setting_kind::text, "SIZE",
            "what models may take here, like 12G, also parts of models of the mesh (default: what is free)",
            set_memory},
    setting{"model_dirs", "model-dir", "", setting_kind::list, "DIR",
            "a directory of .gguf files that this node may use when it computes a part of a model; can be repeated",
            [](config& c, const setting_value& v) { return set_list(c.model_dirs, v); }},
    setting{"api_key_file", "api-key-file", "", setting_kind::text, "FILE",
            "a file with the API keys that clients must send, one on each line",
            [](config& c, const setting_value& v) { return set_path(c.api_key_file, v); }},
    setting{"cors_origins", "cors-origin", "", setting_kind::list, "ORIGIN",
            "a web origin whose pages may call the API; can be repeated",
            [](config& c, const setting_value& v) { return set_list(c.cors_origins, v); }},
    setting{"ctx", "ctx", "", setting_kind::number, "N",
            "tokens of one request, prompt and answer (default: from the model)",
            [](config& c, const setting_value& v) { return set_number(c.context, v, 0, max_context); }},
    setting{"slots", "slots", "", setting_kind::number, "N",
            "requests that are answered at the same time (default: chosen)",
            [](config& c, const setting_value& v) { return set_number(c.slots, v, 0, max_slots); }},
    setting{"threads", "threads", "", setting_kind::number, "N", "processor threads (default: one for each core)",
            [](config& c, const setting_value& v) { return set_number(c.threads, v, 0, max_threads); }},
    setting{"gpu_layers", "gpu-layers", "GPU_LAYERS", setting_kind::number, "N",
            "layers to put on the GPU; -1 automatic, 0 processor only",
            [](config& c, const setting_value& v) { return set_number(c.gpu_layers, v, -1, max_layers); }},
    setting{"queue_limit", "queue-limit", "", setting_kind::number, "N",
            "requests of one model that may wait; more are told to come back later (default 64)",
            [](config& c, const setting_value& v) { return set_number(c.queue_limit, v, 0, max_queue); }},
    setting{"hub_url", "hub-url", "", setting_kind::text, "URL", "where hf:// references are fetched from",
            [](config& c, const setting_value& v) { return set_text(c.hub_url, v); }},
    setting{"headless", "headless", "", setting_kind::toggle, "", "serve the API alone, without the console page",
            [](config& c, const setting_value& v) { return set_toggle(c.headless, v); }},
    setting{"log_format", "log-format", "", setting_kind::text, "FORMAT", "pretty or json", set_log_format},
    setting{"log_level", "log-level", "", setting_kind::text, "LEVEL", "debug, info, warn or error", set_log_level},
};

}  // namespace

std::span<const setting> all_settings() {
    return table;
}

}  // namespace starling::settings

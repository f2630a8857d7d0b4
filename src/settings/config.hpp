// Everything that can be set, merged from four sources: defaults < configuration file < environment < flags.
//
// Pure: the file's text, the environment's values and the flags are passed in, so that the same merge runs in the
// program, in tests and in the fuzzer. One table (settings.hpp) describes every setting for all four sources, for
// --help, and for docs/config.md.
#pragma once

#include "base/result.hpp"
#include "settings/errc.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::settings {

enum class log_format { pretty, json };
enum class log_level { debug, info, warn, error };

/// Whether a model may be cut by layers over several nodes.
enum class split_mode { automatic, never, exactly };

/// How the stages of a split model exchange hidden states.
enum class activations { f16, f32 };

inline constexpr std::uint16_t default_port = 9337;
inline constexpr std::uint16_t default_peer_port = 9338;
inline constexpr std::string_view default_hub_url = "https://huggingface.co";

struct config {
    std::filesystem::path data_dir;  // the program fills in the platform's place
    std::string name;                // what people call this node; the program fills in the host name
    std::vector<std::string> models;
    std::string draft;     // a small model that drafts for them; empty: none
    std::string upstream;  // URL; the models are then that server's
    std::filesystem::path upstream_key_file;
    std::string bind = "127.0.0.1";
    std::uint16_t port = default_port;  // 0: a free one
    std::uint16_t peer_port = default_peer_port;
    std::string peer_bind;              // an IP address; empty: as `bind`
    std::string join;                   // an invite; empty: the last mesh, or one of its own
    bool lan = false;                   // announces itself and looks for others on the local network
    bool ask = false;                   // in no mesh yet: asks a member on the local network to be let in
    bool standby = false;               // models are loaded only when the mesh wants them and nobody else serves them
    std::int32_t worker_wait_s = 30;    // how long a request waits for a worker when there is none
    std::int32_t stall_timeout_s = 30;  // a worker that gives no token for so long counts as hung
    split_mode split = split_mode::automatic;
    std::int32_t split_stages = 0;  // for split_mode::exactly
    settings::activations activations = settings::activations::f16;
    std::uint64_t memory_bytes = 0;       // that models may take here, of this node and of the mesh; 0: what is free
    std::vector<std::string> model_dirs;  // whose files may be used for a part of a model
    std::filesystem::path api_key_file;
    std::vector<std::string> cors_origins;
    std::int32_t context = 0;      // tokens of one request; 0: chosen from the model
    std::int32_t slots = 0;        // requests at the same time; 0: chosen
    std::int32_t threads = 0;      // 0: physical cores
    std::int32_t gpu_layers = -1;  // -1: automatic, 0: processor only
    std::int32_t queue_limit = 64;
    std::string hub_url{default_hub_url};
    std::string hub_token;  // from the environment alone (HF_TOKEN): a flag would show it to every user of the machine
    bool headless = false;  // no console page
    settings::log_format log_format = settings::log_format::pretty;
    settings::log_level log_level = settings::log_level::info;
};

/// A value by the name of its source: an environment variable, or a flag without its dashes.
using named_values = std::vector<std::pair<std::string, std::string>>;

/// `text` is a TOML document (version 1.0). Error: errc::bad_config, with `file_name`, line and column, and the nearest
/// known key for one that is not known.
result<void> apply_toml(config& into, std::string_view text, std::string_view file_name);

/// Only the variables of the table are looked at. Error: errc::wrong_usage.
result<void> apply_environment(config& into, const named_values& environment);

/// A flag that is given twice counts the last time, unless it is one of those that make a list. Error:
/// errc::wrong_usage.
result<void> apply_flags(config& into, const named_values& flags);

/// What no single setting can tell: that they fit each other. Errors: errc::wrong_usage, errc::refused.
result<void> check(const config& settings);

}  // namespace starling::settings

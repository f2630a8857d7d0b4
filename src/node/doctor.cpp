#include "node/doctor.hpp"

#include "base/memory.hpp"
#include "base/size_text.hpp"
#include "base/unix_time.hpp"
#include "llama/llama.hpp"
#include "node/key_file.hpp"
#include "node/mesh_file.hpp"
#include "node/private_file.hpp"
#include "node/running_node.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <sys/timex.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

namespace {

constexpr std::uint64_t gigabyte = 1'000'000'000;
/// The built-in model runs in far less; below this nothing that is worth having does.
constexpr std::uint64_t little_memory_bytes = 2 * gigabyte;
/// A small useful model is about this size.
constexpr std::uint64_t little_disk_bytes = 5 * gigabyte;
/// This version was made after it, so a clock that shows less is wrong.
constexpr std::time_t built_after_s = 1'735'689'600;  // 2025-01-01

/// "CPU : SSE3 = 1 | AVX2 = 1 | …" as "SSE3 AVX2 …".
std::string instruction_sets(std::string_view info) {
    constexpr std::string_view present = " = 1";
    std::string out;
    for (std::size_t at = info.find(present); at != std::string_view::npos; at = info.find(present, at + 1)) {
        const std::size_t begin = info.find_last_of(" ", at - 1) + 1;
        out += (out.empty() ? "" : " ") + std::string(info.substr(begin, at - begin));
    }
    return out;
}

finding processor() {
    finding out{.state = finding_state::ok, .subject = "processor", .text = {}, .advice = {}};
    for (const llama::device_info& device : llama::devices()) {
        if (device.kind == "cpu") {
            out.text = device.description + ", ";
        }
    }
    const std::string features = llama::system_info();
    out.text += std::to_string(std::thread::hardware_concurrency()) + " threads; " + instruction_sets(features);
#if defined(__x86_64__)
    if (features.find("AVX2 = 1") == std::string::npos) {
        out.state = finding_state::warn;
        out.advice = "This processor, or this build, has no AVX2: answers will be slow. A GPU would help.";
    }
#endif
    return out;
}

finding graphics(const settings::config& settings) {
    finding out{.state = finding_state::ok, .subject = "gpu", .text = {}, .advice = {}};
    for (const llama::device_info& device : llama::devices()) {
        if (device.kind != "cpu") {
            out.text += (out.text.empty() ? "" : "; ") + device.description + " (" + size_text(device.memory_free) +
                        " of " + size_text(device.memory_total) + " free)";
        }
    }
    if (out.text.empty()) {
        out.text = "none that this build can use; answers come from the processor";
        if (settings.gpu_layers > 0) {
            out.state = finding_state::warn;
            out.advice =
                "Layers are to go to a GPU, but there is none: set --gpu-layers to -1, or build with a GPU preset.";
        }
    } else if (settings.gpu_layers == 0) {
        out.state = finding_state::warn;
        out.advice = "It is not used, because --gpu-layers (or GPU_LAYERS) is 0; -1 uses it.";
    }
    return out;
}

finding memory() {
    finding out{.state = finding_state::ok, .subject = "memory", .text = {}, .advice = {}};
    const memory_bytes now = machine_memory();
    if (now.total == 0) {
        out.state = finding_state::warn;
        out.text = "the system does not say how much there is";
        return out;
    }
    out.text = size_text(now.available) + " of " + size_text(now.total) + " free";
    if (now.available < little_memory_bytes) {
        out.state = finding_state::warn;
        out.advice = "The built-in model fits; for a larger one, close other programs first.";
    }
    return out;
}

finding data_directory(const settings::config& settings) {
    finding out{.state = finding_state::ok,
                .subject = "data",
                .text = settings.data_dir.string() + " is writable",
                .advice = {}};
    if (auto prepared = prepare_data_dir(settings.data_dir); !prepared) {
        out.state = finding_state::fail;
        out.text = prepared.error().message;
    }
    return out;
}

finding disk(const settings::config& settings) {
    finding out{.state = finding_state::ok, .subject = "disk", .text = {}, .advice = {}};
    std::error_code failed;
    const auto space = std::filesystem::space(settings.data_dir, failed);
    if (failed) {
        out.state = finding_state::warn;
        out.text = "free space cannot be read (" + failed.message() + ")";
        return out;
    }
    out.text = size_text(space.available) + " free";
    if (space.available < little_disk_bytes) {
        out.state = finding_state::warn;
        out.advice = "Free some space before fetching a model, or put --data-dir on another disk.";
    }
    return out;
}

/// The error of binding there for a moment; none when it is free.
template <class Protocol>
boost::system::error_code try_to_bind(const std::string& address, std::uint16_t port) {
    boost::system::error_code failed;
    const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, failed);
    if (failed) {
        return failed;
    }
    asio::io_context io;
    typename Protocol::socket socket(io);
    const typename Protocol::endpoint at(ip, port);
    static_cast<void>(socket.open(at.protocol(), failed));
    if (!failed) {
        static_cast<void>(
            socket.set_option(asio::socket_base::reuse_address(std::is_same_v<Protocol, asio::ip::tcp>), failed));
        static_cast<void>(socket.bind(at, failed));
    }
    return failed;
}

template <class Protocol>
finding port(const std::string& bind, std::uint16_t number, const std::string& subject, const std::string& flag) {
    finding out{.state = finding_state::ok, .subject = subject, .text = {}, .advice = {}};
    const auto failed = try_to_bind<Protocol>(bind, number);
    const std::string name = bind + ":" + std::to_string(number);
    if (!failed) {
        out.text = name + " is free";
        return out;
    }
    out.state = finding_state::fail;
    out.text = name + " cannot be had: " + failed.message();
    out.advice = "Stop the program that has it, or choose another port with " + flag + ".";
    return out;
}

finding api_port(const settings::config& settings) {
    if (const auto running = find_running(settings.data_dir)) {
        return {.state = finding_state::ok,
                .subject = "port",
                .text = "a node is running at " + running->api_url + " (process " + std::to_string(running->pid) + ")",
                .advice = {}};
    }
    return port<asio::ip::tcp>(settings.bind, settings.port, "port", "--port");
}

/// Nothing to say where a node is running: it has the port.
std::optional<finding> peer_port(const settings::config& settings) {
    if (find_running(settings.data_dir)) {
        return std::nullopt;
    }
    const std::string bind = settings.peer_bind.empty() ? settings.bind : settings.peer_bind;
    finding out = port<asio::ip::udp>(bind, settings.peer_port, "peers", "--peer-port");
    boost::system::error_code unknown;
    if (out.state == finding_state::ok && asio::ip::make_address(bind, unknown).is_loopback()) {
        out.text += ", for nodes on this machine";
        out.advice = "To let other machines of your mesh connect to it, start with --peer-bind 0.0.0.0.";
    }
    return out;
}

finding membership(const settings::config& settings) {
    finding out{.state = finding_state::ok, .subject = "mesh", .text = "of its own, once it is started", .advice = {}};
    const auto remembered = load_mesh(settings.data_dir / "mesh.json");
    if (!remembered) {
        out.state = finding_state::fail;
        out.text = remembered.error().message;
    } else if (*remembered) {
        const admission::certificate& mine = (*remembered)->certificate;
        out.text = short_name(mine.mesh) + ", as a " + admission::to_string(mine.role);
        if (mine.expires_s <= unix_time_s() && !std::filesystem::exists(settings.data_dir / "mesh.key")) {
            out.state = finding_state::fail;
            out.text += "; the membership has expired";
            out.advice = "Ask for a new invite, and start with --join.";
        }
    }
    return out;
}

finding api_keys(const settings::config& settings) {
    finding out{.state = finding_state::ok, .subject = "api key", .text = "none is asked for", .advice = {}};
    if (!settings.api_key_file.empty()) {
        const auto keys = read_keys(settings.api_key_file);
        out.state = keys ? finding_state::ok : finding_state::fail;
        out.text = keys ? std::to_string(keys->size()) + " in " + settings.api_key_file.string() : keys.error().message;
    } else if (auto fits = settings::check(settings); !fits) {
        out.state = finding_state::fail;
        out.text = fits.error().message;
    }
    return out;
}

finding system_clock() {
    finding out{.state = finding_state::ok, .subject = "clock", .text = "synchronised", .advice = {}};
    if (std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) < built_after_s) {
        out.state = finding_state::fail;
        out.text = "shows a time in the past";
        out.advice = "Set it: secure connections fail with a wrong clock.";
        return out;
    }
    timex state{};
    if (::adjtimex(&state) == TIME_ERROR) {
        out.state = finding_state::warn;
        out.text = "plausible, but the system does not know whether it is synchronised";
        out.advice = "On a machine of your own, switch time synchronisation on (timedatectl set-ntp true).";
    }
    return out;
}

finding built_in_model(bool has_starter) {
    if (has_starter) {
        return {.state = finding_state::ok,
                .subject = "starter",
                .text = "the built-in model is in this build",
                .advice = {}};
    }
    return {.state = finding_state::warn,
            .subject = "starter",
            .text = "this build has no built-in model",
            .advice = "Name a model with --model, or build from a complete copy of the repository."};
}

}  // namespace

std::vector<finding> diagnose(const settings::config& settings, bool has_starter) {
    std::vector<finding> out{processor(), graphics(settings), memory(), data_directory(settings)};
    if (out.back().state == finding_state::ok) {
        out.push_back(disk(settings));
        out.push_back(api_port(settings));
        if (auto peers = peer_port(settings)) {
            out.push_back(std::move(*peers));
        }
        out.push_back(membership(settings));
    }
    out.push_back(api_keys(settings));
    out.push_back(system_clock());
    out.push_back(built_in_model(has_starter));
    return out;
}

}  // namespace starling::node

#include "netlab/hosts.hpp"

#include "base/system_text.hpp"
#include "netlab/address.hpp"
#include "netlab/child.hpp"
#include "netlab/pidfd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace starling::netlab {

namespace {

namespace fs = std::filesystem;

const fs::path named_namespaces = "/run/netns";  // where `ip netns` keeps them
constexpr const char* tun_device = "/dev/net/tun";

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// By a descriptor of the process, so that it cannot be another one that got its number meanwhile.
void end_if_in(pid_t pid, const struct stat& net) {
    const file_descriptor process = open_process(pid);
    struct stat its{};
    if (process.get() >= 0 && ::stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &its) == 0 && same_file(its, net)) {
        signal_process(process, SIGKILL);
    }
}

void end_processes_in(const fs::path& name) {
    struct stat net{};
    struct stat own{};
    if (::stat(name.c_str(), &net) != 0 || ::stat("/proc/self/ns/net", &own) != 0 || same_file(net, own)) {
        return;
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const std::string text = entry.path().filename();
        std::string_view rest = text;
        if (const auto pid = take_number(rest); pid && rest.empty()) {
            end_if_in(static_cast<pid_t>(*pid), net);
        }
    }
}

std::vector<fs::path> namespaces_of(const std::string& prefix) {
    std::vector<fs::path> out;
    std::error_code ignored;  // the folder comes with the first namespace
    for (const auto& entry : fs::directory_iterator(named_namespaces, ignored)) {
        if (named_by(prefix, entry.path().filename().string())) {
            out.push_back(entry.path());
        }
    }
    return out;
}

/// What `ip netns del` does. One that cannot be removed does not keep the others.
void remove_namespaces(const std::string& prefix) {
    for (const fs::path& path : namespaces_of(prefix)) {
        end_processes_in(path);
        ::umount2(path.c_str(), MNT_DETACH);
        ::unlink(path.c_str());
    }
}

file_descriptor open_tap() {
    file_descriptor tap(checked(::open(tun_device, O_RDWR | O_NONBLOCK | O_CLOEXEC), tun_device));
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    device_name.copy(request.ifr_name, IFNAMSIZ - 1);
    checked(::ioctl(tap.get(), TUNSETIFF, &request), "cannot make a TAP device");
    return tap;
}

file_descriptor open_namespace(const fs::path& path) {
    return file_descriptor(checked(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path));
}

file_descriptor make_host(const std::string& name, host_index host, host_index count) {
    run({"ip", "netns", "add", name});
    const file_descriptor home = open_namespace("/proc/self/ns/net");
    checked(::setns(open_namespace(named_namespaces / name).get(), CLONE_NEWNET), "cannot enter " + name);
    file_descriptor tap = open_tap();
    checked(::setns(home.get(), CLONE_NEWNET), "cannot leave " + name);
    run({"ip", "-n", name, "-batch", "-"}, setup_lines(host, count));
    return tap;
}

}  // namespace

std::string why_no_hosts() {
    constexpr unsigned net_admin = 12;  // linux/capability.h
    constexpr unsigned sys_admin = 21;
    const std::string status = read_text("/proc/self/status");
    constexpr std::string_view field = "CapEff:\t";
    const std::size_t at = status.find(field);
    const auto held = at == std::string::npos ? 0 : std::stoull(status.substr(at + field.size(), 16), nullptr, 16);
    if ((held >> net_admin & held >> sys_admin & 1U) == 0) {
        return "needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN) to make network namespaces";
    }
    if (::access(tun_device, R_OK | W_OK) != 0) {
        return fmt::format("needs TAP devices, and this system offers no {}", tun_device);
    }
    return {};
}

prefix_claim::prefix_claim(std::string prefix) : prefix_(std::move(prefix)), folder_("/run/netlab-" + prefix_) {
    const bool left = ::mkdir(folder_.c_str(), 0700) != 0 && errno == EEXIST;
    if (!lock()) {
        throw std::runtime_error(
            fmt::format("another netlab that runs has the prefix \"{}\"; choose one with --prefix", prefix_));
    }
    if (left) {
        remove_namespaces(prefix_);
        ::unlink(control_path().c_str());
    } else if (const auto others = namespaces_of(prefix_); !others.empty()) {
        ::rmdir(folder_.c_str());
        throw std::runtime_error(
            fmt::format("{} was not made by netlab; remove it, or choose another --prefix", others.front().string()));
    }
}

/// False when another process holds it, or has just removed the folder with it.
bool prefix_claim::lock() {
    lock_ = file_descriptor(checked(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder_));
    struct stat locked{};
    struct stat named{};
    return ::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(lock_.get(), &locked) == 0 &&
           ::stat(folder_.c_str(), &named) == 0 && same_file(locked, named);
}

prefix_claim::~prefix_claim() {
    ::unlink(control_path().c_str());
    ::rmdir(folder_.c_str());
}

host_set::host_set(const prefix_claim& claim, host_index count) : prefix_(claim.prefix()) {
    try {
        for (host_index host = 0; host < count; ++host) {
            taps_.push_back(make_host(namespace_name(prefix_, host), host, count));
        }
    } catch (...) {
        remove_namespaces(prefix_);
        throw;
    }
}

host_set::~host_set() {
    remove_namespaces(prefix_);
}

}  // namespace starling::netlab

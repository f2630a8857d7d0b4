// netlab: hosts on one machine, each in its own network namespace, joined by an emulated wide-area network that needs
// nothing of the kernel but TAP devices. docs/netlab.md says how it is used.
#include "netlab/address.hpp"
#include "netlab/control_codec.hpp"
#include "netlab/driver.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <CLI/CLI.hpp>

#include <cstdio>

namespace starling::netlab {
namespace {

constexpr int wrong_usage = 2;
constexpr int cannot_here = 77;  // what test runners take for "skipped"

struct options {
    host_index hosts = 2;
    double delay_ms = 0;
    double jitter_ms = 0;
    double rate_mbit = 0;
    double loss_percent = 0;
    std::uint64_t seed = 1;
    std::string prefix = "lab";
    std::vector<std::string> command;
};

wan_settings network_of(const options& given) {
    const auto time = [](double ms) { return std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6)); };
    return {.hosts = given.hosts,
            .way = {.delay = time(given.delay_ms), .jitter = time(given.jitter_ms), .loss = given.loss_percent / 100},
            .rate_mbit = given.rate_mbit,
            .seed = given.seed};
}

/// Blocked for this thread and readable as events instead.
file_descriptor take_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, number);
    }
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return file_descriptor(checked(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "cannot take signals"));
}

std::string answer_to(wan& network, std::string_view line) {
    const auto asked = parse_command(line, network.hosts());
    if (!asked) {
        return "error: " + asked.error().message;
    }
    network.apply(*asked);
    return asked->what == verb::stats ? stats_json(network.counters()) : "ok";
}

/// A network is not slower because the machines in it are busy. Where real-time threads are not allowed, nearly so.
void go_ahead_of_the_tests() {
    constexpr int nicest = -10;
    const sched_param least{.sched_priority = sched_get_priority_min(SCHED_RR)};
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least) != 0) {
        ::setpriority(PRIO_PROCESS, 0, nicest);
    }
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // 50 us otherwise
}

int run_lab(const options& given) {
    const file_descriptor signals = take_signals();
    wan network(network_of(given));
    const prefix_claim claim(given.prefix);
    const host_set hosts(claim, given.hosts);
    control_server control(claim.control_path(), [&](std::string_view line) { return answer_to(network, line); });
    ::setenv("NETLAB_PREFIX", given.prefix.c_str(), 1);
    ::setenv("NETLAB_CONTROL", claim.control_path().c_str(), 1);
    child command(given.command);
    go_ahead_of_the_tests();
    return driver(network, hosts, control, command, signals.get()).run();
}

}  // namespace
}  // namespace starling::netlab

int main(int argc, char** argv) {
    using namespace starling::netlab;
    options given;
    CLI::App app("Runs a command beside hosts in network namespaces, joined by an emulated wide-area network.");
    app.add_option("--hosts", given.hosts, "how many; host i is the namespace PREFIXi with 10.77.0.i and fd77::i")
        ->check(CLI::Range(host_index{1}, hosts_max))
        ->capture_default_str();
    app.add_option("--delay-ms", given.delay_ms, "from one host to another, one way")
        ->check(CLI::Range(0.0, time_max_ms));
    app.add_option("--jitter-ms", given.jitter_ms, "up to so much on top, for each frame")
        ->check(CLI::Range(0.0, time_max_ms));
    app.add_option("--rate-mbit", given.rate_mbit, "what each host can send; 0 is without limit")
        ->check(CLI::Range(0.0, rate_max_mbit));
    app.add_option("--loss-percent", given.loss_percent, "of the frames")->check(CLI::Range(0.0, 100.0));
    app.add_option("--seed", given.seed, "of every random choice")->capture_default_str();
    app.add_option("--prefix", given.prefix, "of the namespaces' names")
        ->capture_default_str()
        ->check([](const auto& p) {
            return valid_prefix(p) ? std::string()
                                   : "a prefix has lowercase letters, digits and dashes, and does not end in a digit";
        });
    app.add_option("command", given.command, "after --: a program and its arguments")->required();
    app.positionals_at_end();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : wrong_usage;
    }
    if (const std::string why = why_no_hosts(); !why.empty()) {
        std::fprintf(stderr, "netlab: %s\n", why.c_str());
        return cannot_here;
    }
    try {
        return run_lab(given);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "netlab: %s\n", e.what());
        return 1;
    }
}

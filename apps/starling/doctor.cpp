// starling doctor: checks this machine and says what to do.
#include "node/doctor.hpp"
#include "built_in.hpp"
#include "command_line.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace starling::cli {

namespace {

const char* mark(node::finding_state state, bool colour) {
    switch (state) {
        case node::finding_state::ok: return colour ? "\033[32mok  \033[0m" : "ok  ";
        case node::finding_state::warn: return colour ? "\033[33mwarn\033[0m" : "warn";
        case node::finding_state::fail: return colour ? "\033[31mfail\033[0m" : "fail";
    }
    return "";
}

int doctor(const given_settings& given) {
    auto settings = load_config(given);
    if (!settings) {
        return report(settings.error());
    }
    bool all_well = true;
    for (const node::finding& finding : node::diagnose(*settings, !built_in_starter().empty())) {
        all_well = all_well && finding.state != node::finding_state::fail;
        std::printf("%s  %-10s %s\n", mark(finding.state, stdout_is_terminal()), finding.subject.c_str(),
                    finding.text.c_str());
        if (!finding.advice.empty()) {
            std::printf("                 → %s\n", finding.advice.c_str());
        }
    }
    return all_well ? done : failed;
}

}  // namespace

void add_doctor(CLI::App& app, action& run) {
    const auto given = std::make_shared<given_settings>();
    CLI::App* verb = app.add_subcommand("doctor", "check this machine, and say what to do");
    add_settings(*verb, *given, {"data-dir", "bind", "port", "peer-port", "peer-bind", "api-key-file", "gpu-layers"});
    verb->callback([given, &run] { run = [given] { return doctor(*given); }; });
}

}  // namespace starling::cli

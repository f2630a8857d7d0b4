// starling invite: asks the running node for an invite. The invite is the last line on stdout, and nothing else is
// there, so that `starling serve --join "$(starling invite)"` works; what people read goes to stderr.
#include "command_line.hpp"
#include "durations.hpp"
#include "json_fields.hpp"
#include "node/errc.hpp"
#include "node_api.hpp"
#include "qr_code.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>

namespace starling::cli {

namespace {

namespace json = boost::json;

/// Long enough to walk to the other machine.
constexpr std::chrono::minutes shortest_invite{1};
/// Whoever finds the invite gets in, so it is not kept for ever.
constexpr std::chrono::hours longest_invite{30 * 24};

struct invite_arguments {
    given_settings given;
    std::string expires = "24h";
    std::string role = "worker";
    bool may_invite = false;
    bool json = false;
    bool no_qr = false;
};

/// "2026-01-31 14:05", in the time of this place; empty for a time that makes no sense.
std::string local_time(double unix_s) {
    constexpr double year_9999 = 253'370'764'800.0;
    if (!(unix_s > 0.0 && unix_s < year_9999)) {
        return {};
    }
    const auto when = static_cast<std::time_t>(unix_s);
    std::tm parts{};
    std::array<char, 32> text{};
    if (::localtime_r(&when, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts) == 0) {
        return {};
    }
    return text.data();
}

std::string listed(const json::array& addresses) {
    std::string out;
    for (const json::value& item : addresses) {
        if (const json::string* address = item.if_string()) {
            out += (out.empty() ? "" : ", ") + printable_line(std::string_view(address->data(), address->size()));
        }
    }
    return out;
}

void explain(const json::object& told, std::chrono::seconds span, const std::string& role, bool with_qr) {
    const std::string until = local_time(number_of(told, "expires_unix_s"));
    std::fprintf(stderr, "This invite lets one machine into the mesh, as a %s, once, within %s%s.\n", role.c_str(),
                 in_words(span).c_str(), until.empty() ? "" : (" (until " + until + ")").c_str());
    std::fputs("Whoever has it can use it, so send it as you would send a password.\n", stderr);
    if (const std::string addresses = listed(array_of(told, "addresses")); !addresses.empty()) {
        std::fprintf(stderr, "It leads to %s (UDP).\n", addresses.c_str());
    }
    std::fprintf(stderr,
                 "Type on the other machine, with the invite that stands below%s:\n  starling %s --join INVITE\n",
                 with_qr ? " and in the QR code" : "", role == "client" ? "client" : "serve");
}

void warn_of_this_machine_only() {
    std::fputs(
        "warning: this invite works on this machine only, because the node listens to no other. To invite other "
        "machines, restart it with: starling serve --peer-bind 0.0.0.0\n",
        stderr);
}

/// A code that is wider than the terminal would be broken into pieces that nothing can read.
void show_qr(const std::string& invite) {
    const auto code = qr_code::of(invite);
    if (!code) {
        return;
    }
    const auto columns = stderr_columns();
    if (columns && *columns < drawn_columns(*code)) {
        std::fprintf(stderr, "(The QR code needs a terminal of %zu columns; this one has %zu.)\n", drawn_columns(*code),
                     *columns);
        return;
    }
    const auto colours = stderr_is_terminal() ? qr_colours::black_and_white : qr_colours::plain;
    std::fprintf(stderr, "\n%s\n", draw(*code, colours).c_str());
}

result<json::object> ask_invite(node_api& api, const invite_arguments& wish, std::chrono::seconds span) {
    auto told = api.post_as_owner(
        "/api/invites",
        {{"role", wish.role}, {"expires_s", std::int64_t{span.count()}}, {"may_invite", wish.may_invite}});
    if (!told) {
        return told.error();
    }
    if (!told->is_object() || text_of(told->get_object(), "invite").empty()) {
        return fail(node::errc::remote, "The node at " + api.url() + " gave no invite; it is of another version.");
    }
    return std::move(told->get_object());
}

result<void> write_invite(const invite_arguments& arguments, std::chrono::seconds span, node_api& api) {
    const auto told = ask_invite(api, arguments, span);
    if (!told) {
        return told.error();
    }
    const std::string text = printable_line(text_of(*told, "invite"));
    if (!arguments.json) {
        explain(*told, span, arguments.role, !arguments.no_qr);
    }
    if (flag_of(*told, "this_machine_only")) {
        warn_of_this_machine_only();
    }
    if (!arguments.json && !arguments.no_qr) {
        show_qr(text);
    }
    // On one terminal, both streams come in the order in which they were written: the invite last.
    std::fflush(stderr);
    std::printf("%s\n", arguments.json ? json::serialize(*told).c_str() : text.c_str());
    return {};
}

int invite(const invite_arguments& arguments) {
    const auto span = parse_duration(arguments.expires, "--expires", shortest_invite, longest_invite);
    if (!span) {
        return report(span.error());
    }
    if (arguments.role != "worker" && arguments.role != "client") {
        return report(fail(settings::errc::wrong_usage,
                           "--role must be worker (it offers models) or client (it only "
                           "asks), not '" +
                               arguments.role + "'."));
    }
    return with_node(arguments.given, [&](node_api& api) { return write_invite(arguments, *span, api); });
}

}  // namespace

void add_invite(CLI::App& app, action& run) {
    const auto arguments = std::make_shared<invite_arguments>();
    CLI::App* verb = app.add_subcommand("invite", "print an invite that lets one more machine into the mesh");
    verb->add_option("--expires", arguments->expires, "how long it can be used: 30m, 24h, 7d (default 24h)")
        ->type_name("TIME");
    verb->add_option("--role", arguments->role, "worker: offers models and asks; client: only asks (default worker)")
        ->type_name("ROLE");
    verb->add_flag("--may-invite", arguments->may_invite, "the machine may invite others too, and put others out");
    verb->add_flag("--json", arguments->json, "as /api/invites gives it, on one line");
    verb->add_flag("--no-qr", arguments->no_qr, "without the QR code on stderr");
    add_settings(*verb, arguments->given, {"data-dir"});
    verb->callback([arguments, &run] { run = [arguments] { return invite(*arguments); }; });
}

}  // namespace starling::cli

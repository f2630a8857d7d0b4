#include "running.hpp"

#include "built_in.hpp"
#include "command_line.hpp"
#include "node/log.hpp"
#include "stop_signals.hpp"
#include "terminal.hpp"
#include "terminal_question.hpp"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

namespace starling::cli {

namespace {

std::shared_ptr<spdlog::logger> log_to_stderr(const settings::config& settings) {
    spdlog::sink_ptr sink;
    if (stderr_is_terminal() && settings.log_format == settings::log_format::pretty) {
        sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    return node::make_logger(std::move(sink), settings.log_format, settings.log_level);
}

/// One line for programs: {"event":…,"api_url":…,"node_id":…}.
void print_event(const char* name, const node::listening_event& about) {
    std::printf("{\"event\":\"%s\",\"api_url\":%s,\"node_id\":%s}\n", name, node::json_quoted(about.api_url).c_str(),
                node::json_quoted(about.node_id).c_str());
    std::fflush(stdout);
}

void print_event(const api::join_request& about) {
    std::printf("{\"event\":\"join_request\",\"code\":%s,\"name\":%s,\"node_id\":%s}\n",
                node::json_quoted(about.code).c_str(), node::json_quoted(about.name).c_str(),
                node::json_quoted(about.node_id).c_str());
    std::fflush(stdout);
}

void print_event(const api::own_request& about) {
    std::printf("{\"event\":\"asked\",\"code\":%s,\"member\":%s,\"member_id\":%s,\"mesh_id\":%s}\n",
                node::json_quoted(about.code).c_str(), node::json_quoted(about.member).c_str(),
                node::json_quoted(about.member_id).c_str(), node::json_quoted(about.mesh_id).c_str());
    std::fflush(stdout);
}

std::string short_mesh(const api::own_request& about) {
    return about.mesh_id.substr(0, 8);
}

/// What `observer` shows. Network thread.
class announcer {
  public:
    announcer(bool json, std::vector<std::string> hints) : json_(json), hints_(std::move(hints)) {}

    void listening(const node::listening_event& about) {
        if (json_) {
            print_event("listening", about);
        }
    }

    /// From now on the person at the terminal is asked, and `confirm` is told.
    void ask_through(terminal_question& question, std::function<void(const std::string& code, bool is_same)> confirm) {
        question_ = &question;
        confirm_ = std::move(confirm);
    }

    void ask_nobody() {
        question_ = nullptr;
        confirm_ = {};
    }

    void join_request(const api::join_request& about) {
        if (json_) {
            print_event(about);
            return;
        }
        bar_.clear();
        std::printf("\"%s\" (%s) asks to join; if its screen shows %s: starling peers approve \"%s\"\n",
                    printable_line(about.name).c_str(), about.node_id.substr(0, 8).c_str(), about.code.c_str(),
                    about.code.c_str());
        std::fflush(stdout);
    }

    void asked(const api::own_request& about) {
        if (json_) {
            print_event(about);
            return;
        }
        bar_.clear();
        const std::string member = printable_line(about.member);
        if (question_ == nullptr) {
            std::printf("Asking \"%s\" (mesh %s) to be let in; if its screen shows %s: starling peers confirm \"%s\"\n",
                        member.c_str(), short_mesh(about).c_str(), about.code.c_str(), about.code.c_str());
            std::fflush(stdout);
            return;
        }
        question_->ask(
            "The node \"" + member + "\" (mesh " + short_mesh(about) + ") shows the code " + about.code + "?",
            [this, code = about.code](bool yes) { confirm_(code, yes); });
    }

    void ask_ended() {
        if (question_ != nullptr) {
            question_->withdraw();
        }
    }

    void model(const node::model_event& event) {
        if (json_ || (question_ != nullptr && question_->is_open())) {  // it would be drawn over the question
            return;
        }
        if (event.phase == node::model_phase::fetching || event.phase == node::model_phase::loading) {
            bar_.show((event.phase == node::model_phase::fetching ? "Fetching " : "Loading ") + event.id,
                      event.progress);
        } else {
            bar_.clear();
        }
    }

    void ready(const node::listening_event& about) {
        if (json_) {
            print_event("ready", about);
            return;
        }
        bar_.clear();
        std::printf("Starling is ready at %s\n", about.api_url.c_str());
        for (const std::string& hint : hints_) {
            std::printf("  %s\n", hint.c_str());
        }
        std::fflush(stdout);
    }

  private:
    bool json_;
    std::vector<std::string> hints_;
    progress_line bar_;
    terminal_question* question_ = nullptr;
    std::function<void(const std::string& code, bool is_same)> confirm_;
};

}  // namespace

namespace {

node::resources resources_for(announcer& show, std::shared_ptr<spdlog::logger> log) {
    node::resources with;
    with.starter = built_in_starter();
    with.console = built_in_console();
    with.log = std::move(log);
    with.may_restart = true;
    with.observer.on_listening = [&show](const node::listening_event& about) { show.listening(about); };
    with.observer.on_model = [&show](const node::model_event& event) { show.model(event); };
    with.observer.on_ready = [&show](const node::listening_event& about) { show.ready(about); };
    with.observer.asking.on_request = [&show](const api::join_request& about) { show.join_request(about); };
    with.observer.asking.on_asked = [&show](const api::own_request& about) { show.asked(about); };
    with.observer.asking.on_ask_ended = [&show](const api::own_request&) { show.ask_ended(); };
    return with;
}

/// Until it ends; gives what it is to be created with again.
result<std::optional<settings::config>> run_once(node::node& running, announcer& show, stop_signals& signals,
                                                 bool asks_here) {
    terminal_question question(running.executor());
    if (asks_here) {
        show.ask_through(question, [&running](const std::string& code, bool yes) { running.confirm(code, yes); });
    }
    signals.tell([&running] { running.stop(); });
    const auto outcome = running.run();
    signals.tell({});
    show.ask_nobody();
    if (!outcome) {
        return outcome.error();
    }
    return running.restart_settings();
}

}  // namespace

int run_node(settings::config settings, node::purpose why, std::vector<std::string> hints) {
    announcer show(settings.log_format == settings::log_format::json, std::move(hints));
    const bool asks_here = settings.log_format == settings::log_format::pretty && terminal_question::is_possible();
    const auto log = log_to_stderr(settings);
    stop_signals signals;
    std::optional<settings::config> next(std::move(settings));
    while (next && !signals.came()) {
        auto made = node::node::create(std::move(*next), why, resources_for(show, log));
        if (!made) {
            return report(made.error());
        }
        auto outcome = run_once(**made, show, signals, asks_here);
        if (!outcome) {
            return report(outcome.error());
        }
        next = std::move(*outcome);
    }
    return done;
}

}  // namespace starling::cli

#include "running.hpp"

#include "command_line.hpp"
#include "node/log.hpp"
#include "starter.hpp"
#include "terminal.hpp"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
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

/// What `observer` shows. Network thread.
class announcer {
  public:
    announcer(bool json, std::vector<std::string> hints) : json_(json), hints_(std::move(hints)) {}

    void listening(const node::listening_event& about) {
        if (json_) {
            print_event("listening", about);
        }
    }

    void model(const node::model_event& event) {
        if (json_) {
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
};

}  // namespace

int run_node(settings::config settings, node::purpose why, std::vector<std::string> hints) {
    announcer show(settings.log_format == settings::log_format::json, std::move(hints));
    node::resources with;
    with.starter = built_in_starter();
    with.log = log_to_stderr(settings);
    with.observer.on_listening = [&show](const node::listening_event& about) { show.listening(about); };
    with.observer.on_model = [&show](const node::model_event& event) { show.model(event); };
    with.observer.on_ready = [&show](const node::listening_event& about) { show.ready(about); };

    auto made = node::node::create(std::move(settings), why, std::move(with));
    if (!made) {
        return report(made.error());
    }
    node::node& running = **made;
    boost::asio::signal_set signals(running.executor(), SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& cancelled, int) {
        if (!cancelled) {
            running.stop();
            signals.clear();  // a second signal ends the program at once
        }
    });
    const auto outcome = running.run();
    return outcome ? done : report(outcome.error());
}

}  // namespace starling::cli

#include "sdk/embedded_node.hpp"

#include "admission/errc.hpp"
#include "node/log.hpp"

#include <spdlog/sinks/null_sink.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace starling::sdk {

/// What the node's thread tells, and the thread that starts it waits for.
struct embedded_node::progress {
    std::mutex mutex;
    std::condition_variable changed;
    std::string api_url;            // set: it is ready
    std::optional<sdk::error> end;  // set: it has ended, and this is why

    void ready(const std::string& url) {
        const std::scoped_lock lock(mutex);
        api_url = url;
        changed.notify_all();
    }

    void ended(sdk::error why) {
        const std::scoped_lock lock(mutex);
        end = std::move(why);
        changed.notify_all();
    }
};

namespace {

/// What a node says goes nowhere: a library does not print, and what matters comes back as an error.
std::shared_ptr<spdlog::logger> silent_logger() {
    return node::make_logger(std::make_shared<spdlog::sinks::null_sink_mt>(), settings::log_format::pretty,
                             settings::log_level::error);
}

sdk::error from_node(const starling::error& why) {
    error_kind kind = error_kind::internal;
    if (why.code.category() == enum_category<admission::errc>::instance()) {
        kind = error_kind::unauthorized;
    } else if (why == node::errc::data_dir || why == node::errc::already_running) {
        kind = error_kind::invalid_request;
    } else if (why == node::errc::mesh) {
        kind = error_kind::unauthorized;
    } else if (why == node::errc::remote) {
        kind = error_kind::unreachable;
    }
    return {.kind = kind, .message = why.message};
}

sdk::error end_of(node::node& node) {
    try {
        const auto ran = node.run();
        return ran ? error{.message = "The node has ended before it was ready."} : from_node(ran.error());
    } catch (const std::exception& e) {
        return {.message = std::string("The node has ended: ") + e.what()};
    }
}

}  // namespace

embedded_node::embedded_node(std::unique_ptr<node::node> node, std::shared_ptr<progress> told)
    : told_(std::move(told)), node_(std::move(node)), thread_([this] { told_->ended(end_of(*node_)); }) {}

embedded_node::~embedded_node() {
    node_->stop();
    thread_.join();
}

outcome<std::shared_ptr<embedded_node>> embedded_node::start(settings::config settings, node::purpose why,
                                                             std::chrono::milliseconds timeout) {
    auto told = std::make_shared<progress>();
    node::resources with;
    with.log = silent_logger();
    with.observer.on_ready = [told](const node::listening_event& at) { told->ready(at.api_url); };
    auto made = node::node::create(std::move(settings), why, std::move(with));
    if (!made) {
        return from_node(made.error());
    }
    std::shared_ptr<embedded_node> out(new embedded_node(std::move(*made), told));
    std::unique_lock lock(told->mutex);
    const bool settled =
        told->changed.wait_for(lock, timeout, [&] { return told->end.has_value() || !told->api_url.empty(); });
    if (!settled) {
        return error{
            .kind = error_kind::timed_out,
            .message =
                "The node was not ready in time; is the one that wrote the invite running, and can it be reached?"};
    }
    if (told->end) {
        return *told->end;
    }
    out->api_url_ = told->api_url;
    lock.unlock();
    return out;
}

}  // namespace starling::sdk

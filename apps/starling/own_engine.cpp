#include "own_engine.hpp"

#include "built_in.hpp"
#include "node/log.hpp"
#include "node/node.hpp"
#include "terminal.hpp"
#include "wait.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <thread>
#include <utility>

namespace starling::cli {

namespace {

/// What the network thread tells while the model loads, and the program's thread waits for.
struct load_watch {
    wake_up settled;
    progress_line bar;
    std::string model;
};

class own_engine final : public chat_engine {
  public:
    own_engine(std::unique_ptr<load_watch> watch, std::unique_ptr<node::node> node)
        : watch_(std::move(watch)), node_(std::move(node)), thread_([this] { run(); }) {}

    ~own_engine() override {
        node_->stop();
        thread_.join();
    }

    /// Waits for the load. Nothing: the model is ready.
    result<void> wait_until_ready(interrupts& keyboard) {
        while (!watch_->settled.wait(keyboard)) {
            node_->stop();  // the node ends, and that settles it too
            stopped_ = true;
        }
        if (stopped_) {
            return fail(node::errc::stopped, "Stopped.");
        }
        if (ended_) {
            return outcome_ ? fail(node::errc::internal, "The engine ended before its model was loaded.") : outcome_;
        }
        auto asked = ask_for_generator();
        auto generator = wait_for(node_->executor(), std::move(asked), keyboard);
        if (!generator) {
            return fail(node::errc::stopped, "Stopped.");
        }
        if (!*generator) {
            return generator->error();
        }
        generator_ = std::move(**generator);
        model_ = generator_->info().id;
        return {};
    }

    boost::asio::any_io_executor executor() override { return node_->executor(); }
    engine::generator& generator() override { return *generator_; }
    const std::string& model() const override { return model_; }
    const std::string& place() const override { return place_; }

  private:
    boost::asio::awaitable<result<std::shared_ptr<engine::generator>>> ask_for_generator() {
        co_return node_->generator({});
    }

    void run() {
        outcome_ = node_->run();
        ended_ = true;
        watch_->settled.signal();
    }

    std::unique_ptr<load_watch> watch_;
    std::unique_ptr<node::node> node_;
    std::shared_ptr<engine::generator> generator_;
    std::string model_;
    std::string place_ = "this process";
    result<void> outcome_;
    std::atomic<bool> ended_ = false;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<chat_engine>> open_own_engine(settings::config settings, const std::string& model,
                                                     interrupts& keyboard) {
    if (!model.empty()) {
        settings.models = {model};
    } else if (settings.models.size() > 1) {
        settings.models.resize(1);
    }
    // A chat is one conversation; memory for more would be wasted.
    if (settings.slots == 0) {
        settings.slots = 1;
    }
    settings.api_key_file.clear();
    settings.bind = "127.0.0.1";
    auto watch = std::make_unique<load_watch>();
    node::resources with;
    with.starter = built_in_starter();
    // A conversation is no place for log lines; what goes wrong comes back as a result.
    with.log = node::make_logger(
        std::make_shared<spdlog::sinks::stderr_sink_mt>(), settings.log_format,
        settings.log_level == settings::log_level::debug ? settings::log_level::debug : settings::log_level::error);
    if (settings.log_level != settings::log_level::debug) {
        with.log->set_level(spdlog::level::off);
    }
    with.observer.on_model = [w = watch.get()](const node::model_event& event) {
        if (event.phase == node::model_phase::fetching) {
            w->bar.show("Fetching " + event.id, event.progress);
        } else if (event.phase == node::model_phase::loading) {
            w->bar.show("Loading " + event.id, event.progress);
        } else {
            w->bar.clear();
        }
    };
    with.observer.on_ready = [w = watch.get()](const node::listening_event&) { w->settled.signal(); };
    auto made = node::node::create(std::move(settings), node::purpose::private_engine, std::move(with));
    if (!made) {
        return made.error();
    }
    auto out = std::make_unique<own_engine>(std::move(watch), std::move(*made));
    if (auto ready = out->wait_until_ready(keyboard); !ready) {
        return ready.error();
    }
    return out;
}

}  // namespace starling::cli

#include "node/node.hpp"

#include "aio/task_scope.hpp"
#include "api/api.hpp"
#include "base/hex.hpp"
#include "base/size_text.hpp"
#include "base/unix_time.hpp"
#include "fetch/fetch.hpp"
#include "http/errc.hpp"
#include "models/models.hpp"
#include "node/about.hpp"
#include "node/access_log.hpp"
#include "node/key_file.hpp"
#include "node/local_shelf.hpp"
#include "node/log_memory.hpp"
#include "node/machine_sampler.hpp"
#include "node/mesh.hpp"
#include "node/model_files.hpp"
#include "node/model_loader.hpp"
#include "node/node_key.hpp"
#include "node/private_file.hpp"
#include "node/running_node.hpp"
#include "node/sharing_service.hpp"

#include <spdlog/logger.h>
#include <sys/random.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

namespace {

/// For a client to meet somebody who serves, before it says that it is ready.
constexpr std::chrono::milliseconds client_patience{5'000};

std::uint64_t system_random() {
    std::uint64_t number = 0;
    // Of at most 256 bytes it always gives all, once the system has started.
    static_cast<void>(::getrandom(&number, sizeof number, 0));
    return number;
}

/// An IPv6 address needs brackets in a URL, and "any address" is reached through the loopback.
std::string api_url(const std::string& bind, std::uint16_t port) {
    std::string host = bind;
    if (host == "0.0.0.0") {
        host = "127.0.0.1";
    } else if (host == "::") {
        host = "::1";
    }
    if (host.find(':') != std::string::npos) {
        host = "[" + host + "]";
    }
    return "http://" + host + ":" + std::to_string(port);
}

error listen_failure(const error& why, const settings::config& settings) {
    if (why == http::errc::port_in_use) {
        return fail(errc::cannot_listen,
                    "Port " + std::to_string(settings.port) + " on " + settings.bind +
                        " is in use by another program; stop it, or choose another port with --port "
                        "(0 picks a free one).");
    }
    return fail(errc::cannot_listen, why.message);
}

}  // namespace

class node::impl {
  public:
    struct setup {
        settings::config given;  // as the node was created
        chosen_settings now;
        sharing_choices choices;
    };

    impl(setup what, purpose why, resources with, std::shared_ptr<log_memory> log, std::optional<keys::key_pair> key,
         std::optional<data_dir_lock> lock, std::unique_ptr<fetch::client> http,
         std::unique_ptr<models::model_store> store)
        : given_(std::move(what.given)),
          settings_(std::move(what.now.settings)),
          purpose_(why),
          with_(std::move(with)),
          log_memory_(std::move(log)),
          key_(key),
          node_id_(key_ ? to_string(key_->id()) : std::string()),
          lock_(std::move(lock)),
          http_(std::move(http)),
          store_(std::move(store)),
          stop_(io_, asio::steady_timer::time_point::max()),
          loader_(services(), settings_),
          sharing_(sharing_of(std::move(what.choices), std::move(what.now.fixed))) {}

    /// What can be known before anything runs.
    result<void> prepare() {
        if (purpose_ == purpose::idle || purpose_ == purpose::client) {
            return {};
        }
        const std::vector<std::string> models =
            settings_.models.empty() ? std::vector<std::string>{"starter"} : settings_.models;
        for (const std::string& model : models) {
            auto added = settings_.upstream.empty() ? loader_.add(model) : loader_.add_upstream(model);
            if (!added) {
                return added;
            }
        }
        return {};
    }

    result<void> prepare_mesh() {
        mesh_parts parts{.network = io_.get_executor(), .settings = &settings_, .self = *key_};
        parts.role = purpose_ == purpose::client ? admission::role::client : admission::role::worker;
        parts.table = &table_;
        parts.machine_load = [this] { return sampler_.sample(std::chrono::steady_clock::now()); };
        parts.shares = [this] { return sharing_.is_on(); };
        parts.load_standby = [this](std::string_view model) { loader_.load_standby(model); };
        parts.store = store_.get();
        parts.on_heir = [this](const std::string& id, const std::filesystem::path& path) {
            return loader_.observe_heir(id, path);
        };
        parts.on_refused = [this](const error& why) {
            failure_ = why;
            request_stop();
        };
        parts.asking = with_.observer.asking;
        parts.log = with_.log;
        parts.seed = system_random();
        auto made = mesh::create(std::move(parts));
        if (!made) {
            return made.error();
        }
        mesh_ = std::move(*made);
        sharing_.attach(mesh_.get());
        if (purpose_ == purpose::serve && !sharing_.is_on()) {
            with_.log->info("sharing is off, as was chosen: this node works for its own clients alone");
        }
        return {};
    }

    result<void> prepare_api() {
        api::options options;
        options.bind = settings_.bind;
        options.port = settings_.port;
        options.cors_origins = settings_.cors_origins;
        options.console = !settings_.headless;
        if (!settings_.api_key_file.empty()) {
            auto keys = read_keys(settings_.api_key_file);
            if (!keys) {
                return keys.error();
            }
            options.api_keys = std::move(*keys);
        }
        api::node_facts facts;
        facts.node_id = node_id();
        facts.name = settings_.name;
        facts.version = STARLING_VERSION;
        facts.role = purpose_ == purpose::serve ? "worker" : "client";
        facts.mesh = mesh_.get();
        facts.asking = mesh_ ? &mesh_->asking() : nullptr;
        facts.log = log_memory_.get();
        facts.shelf = &shelf_;
        facts.sharing = mesh_ ? &sharing_ : nullptr;
        facts.about = [this] { return about(); };
        facts.control_token = control_token_;
        facts.console_token = settings_.headless ? std::string() : to_hex(keys::key_pair::generate().secret());
        facts.console = with_.console;
        facts.machine_load = [this] { return sampler_.sample(std::chrono::steady_clock::now()); };
        facts.random = system_random;
        api_.emplace(io_.get_executor(), std::move(options), table_, std::move(facts), access_log(with_.log));
        return {};
    }

    result<void> run() {
        asio::co_spawn(io_, serve(), [this](const std::exception_ptr& thrown, result<void> outcome) {
            thrown_ = thrown;
            outcome_ = std::move(outcome);
            io_.stop();
        });
        io_.run();
        if (thrown_) {
            std::rethrow_exception(thrown_);
        }
        return outcome_;
    }

    void stop() {
        asio::post(io_, [this] {
            restarts_ = false;  // whoever wants it to end wants that more than somebody in the console
            request_stop();
        });
    }

    std::optional<settings::config> restart_settings() const {
        if (!restarts_ || failure_ || thrown_ || !outcome_) {
            return std::nullopt;
        }
        settings::config out = given_;
        out.port = api_port_;
        if (mesh_->takes_newcomers()) {
            out.peer_port = mesh_->listens().port();
        }
        return out;
    }

    asio::any_io_executor executor() { return io_.get_executor(); }

    result<std::shared_ptr<engine::generator>> generator(std::string_view model) {
        auto chosen = table_.choose(model, std::chrono::steady_clock::now());
        if (!chosen) {
            return chosen.error();
        }
        return std::move(chosen->generator);
    }

    void confirm(std::string_view code, bool is_same) {
        const auto now = mesh_ ? mesh_->asking().own() : std::nullopt;
        if (now && now->code == code) {
            static_cast<void>(mesh_->asking().confirm(code, is_same));
        }
    }

    const std::string& node_id() const { return node_id_; }

  private:
    loader_services services() {
        loader_services out;
        out.network = io_.get_executor();
        out.store = store_.get();
        out.table = &table_;
        out.http = http_.get();
        out.log = with_.log;
        out.on_model = [this](const model_event& event) { on_model(event); };
        out.on_settled = [this] { on_settled(); };
        out.on_files = [this] { shelf_.outdated(); };
        out.on_unloaded = [this](const std::string& id) {
            if (mesh_) {
                mesh_->model_unloaded(id);
            }
        };
        if (purpose_ == purpose::serve) {
            out.serve_split = [this](split_request what, split_observer observer) {
                mesh_->serve_split(std::move(what), std::move(observer));
            };
        }
        return out;
    }

    shelf_parts parts_of_shelf() {
        shelf_parts out{.network = io_.get_executor(), .store = store_.get(), .loader = &loader_, .log = with_.log};
        if (purpose_ == purpose::client) {
            out.refuses_loads =
                "This node is a client, which serves no models; run `starling serve` on this machine to load one.";
        }
        return out;
    }

    sharing_parts sharing_of(sharing_choices choices, std::vector<std::string> fixed) {
        sharing_parts out{.settings = &settings_, .chosen = choices, .fixed = std::move(fixed)};
        out.role = purpose_ == purpose::serve ? admission::role::worker : admission::role::client;
        out.may_restart = with_.may_restart;
        out.memory_total_bytes = is_meshed() ? total_memory(settings_) : 0;
        out.on_changed = [this] {
            const auto now = sharing_.facts();
            with_.log->info("sharing is {}, with {} for models", now.sharing ? "on" : "off",
                            size_text(now.memory_bytes));
            store_->set_memory(memory_for_fetching(settings_));
            mesh_->models_changed();
        };
        out.restart = [this] {
            with_.log->info("what was chosen takes new sockets; starting again");
            restarts_ = true;
            request_stop();
        };
        return out;
    }

    bool is_meshed() const { return purpose_ == purpose::serve || purpose_ == purpose::client; }

    api::about_facts about() const {
        about_parts of{.settings = &settings_, .members = mesh_.get(), .api_port = api_port_};
        of.started_unix_s = started_unix_s_;
        of.models = table_.snapshot(std::chrono::steady_clock::now());
        return about_node(of);
    }

    asio::awaitable<result<void>> serve() {
        if (api_) {
            if (auto listening = listen(); !listening) {
                co_return listening;
            }
        }
        if (!stop_requested_) {
            if (mesh_) {
                mesh_->start();
            }
            loader_.start();
            boost::system::error_code woken;
            co_await stop_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        with_.log->debug("stopping");
        if (api_) {
            co_await api_->stop();
        }
        tasks_.cancel();
        co_await tasks_.join();
        if (mesh_) {
            co_await mesh_->stop();
        }
        co_await shelf_.stop();
        co_await loader_.stop();
        lock_.reset();
        table_ = {};  // engines end here, before the HTTP client that some of them use
        loader_.close();
        co_return failure_ ? result<void>(*failure_) : result<void>();
    }

    result<void> listen() {
        auto port = api_->start();
        if (!port) {
            return listen_failure(port.error(), settings_);
        }
        api_port_ = *port;
        listening_ = {.api_url = api_url(settings_.bind, *port), .node_id = node_id()};
        if (lock_) {
            running_node about;
            about.api_url = listening_.api_url;
            about.node_id = listening_.node_id;
            about.version = STARLING_VERSION;
            about.control_token = control_token_;
            about.pid = ::getpid();
            if (!settings_.api_key_file.empty()) {
                about.api_key_file = std::filesystem::absolute(settings_.api_key_file).string();
            }
            if (auto published = lock_->publish(about); !published) {
                return published;
            }
        }
        if (with_.observer.on_listening) {
            with_.observer.on_listening(listening_);
        }
        return {};
    }

    void on_model(const model_event& event) {
        if (mesh_ && (event.phase == model_phase::ready || event.phase == model_phase::failed)) {
            mesh_->models_changed();
        }
        if (with_.observer.on_model) {
            with_.observer.on_model(event);
        }
    }

    void on_settled() {
        const bool serves = purpose_ == purpose::serve || purpose_ == purpose::private_engine;
        if (serves && !settings_.standby && loader_.ready() == 0 && !loader_.waits_for_others() &&
            !loader_.last_failure().empty()) {
            failure_ = fail(errc::model, loader_.last_failure());
            request_stop();
        } else if (purpose_ == purpose::client) {
            tasks_.spawn(announce_client());
        } else {
            announce();
        }
    }

    void announce() {
        if (with_.observer.on_ready && !std::exchange(announced_, true)) {
            with_.observer.on_ready(listening_);
        }
    }

    /// A client is of use when it has met somebody who serves; but its API is there in any case.
    asio::awaitable<void> announce_client() {
        co_await mesh_->until_met(client_patience);
        if (!stop_requested_) {
            announce();
        }
    }

    void request_stop() {
        stop_requested_ = true;
        stop_.cancel();
    }

    asio::io_context io_{1};
    settings::config given_;
    settings::config settings_;  // with what was chosen in the console laid over
    purpose purpose_;
    resources with_;
    std::shared_ptr<log_memory> log_memory_;
    std::optional<keys::key_pair> key_;  // none when nobody else will see this node
    std::string node_id_;
    std::string control_token_ = to_hex(keys::key_pair::generate().secret());
    std::optional<data_dir_lock> lock_;
    std::unique_ptr<fetch::client> http_;
    std::unique_ptr<models::model_store> store_;
    route::model_table table_;
    machine_sampler sampler_;
    asio::steady_timer stop_;
    aio::task_scope tasks_{io_.get_executor()};
    model_loader loader_;
    local_shelf shelf_{parts_of_shelf()};
    sharing_service sharing_;
    std::unique_ptr<mesh> mesh_;
    std::optional<api::server> api_;
    std::uint16_t api_port_ = 0;
    std::int64_t started_unix_s_ = unix_time_s();
    bool restarts_ = false;
    listening_event listening_;
    bool stop_requested_ = false;
    bool announced_ = false;
    std::optional<error> failure_;
    std::exception_ptr thrown_;
    result<void> outcome_;
};

node::node(std::unique_ptr<impl> parts) : impl_(std::move(parts)) {}

node::~node() = default;

result<std::unique_ptr<node>> node::create(settings::config settings, purpose why, resources with) {
    if (auto fits = settings::check(settings); !fits) {
        return fits.error();
    }
    if (auto prepared = prepare_data_dir(settings.data_dir); !prepared) {
        return prepared.error();
    }
    std::optional<keys::key_pair> key;
    std::optional<data_dir_lock> lock;
    if (why != purpose::private_engine) {
        auto loaded = load_or_create_key(settings.data_dir / "node.key");
        if (!loaded) {
            return loaded.error();
        }
        key = *loaded;
    }
    const bool meshed = why == purpose::serve || why == purpose::client;
    impl::setup setup{.given = settings, .now = {.settings = settings, .fixed = {}}, .choices = {}};
    if (meshed) {
        auto taken = data_dir_lock::take(settings.data_dir);
        if (!taken) {
            return taken.error();
        }
        lock.emplace(std::move(*taken));
        auto choices = load_sharing(settings.data_dir / "sharing.json");
        if (!choices) {
            return choices.error();
        }
        setup.choices = *choices;
        setup.now = lay_over(std::move(settings), *choices);
    }
    auto http = fetch::client::create();
    if (!http) {
        return http.error();
    }
    auto store = make_store(setup.now.settings, with.starter, **http);
    if (!store) {
        return store.error();
    }
    auto memory = std::make_shared<log_memory>();
    with.log = with.log->clone(with.log->name());  // the program's own stays as it is
    with.log->sinks().push_back(memory);
    auto parts = std::make_unique<impl>(std::move(setup), why, std::move(with), std::move(memory), key, std::move(lock),
                                        std::move(*http), std::move(*store));
    if (meshed) {
        if (auto ready = parts->prepare_mesh(); !ready) {
            return ready.error();
        }
    }
    if (why != purpose::private_engine) {
        if (auto ready = parts->prepare_api(); !ready) {
            return ready.error();
        }
    }
    if (auto ready = parts->prepare(); !ready) {
        return ready.error();
    }
    return std::unique_ptr<node>(new node(std::move(parts)));
}

result<void> node::run() {
    return impl_->run();
}

std::optional<settings::config> node::restart_settings() const {
    return impl_->restart_settings();
}

void node::stop() {
    impl_->stop();
}

asio::any_io_executor node::executor() {
    return impl_->executor();
}

result<std::shared_ptr<engine::generator>> node::generator(std::string_view model) {
    return impl_->generator(model);
}

void node::confirm(std::string_view code, bool is_same) {
    impl_->confirm(code, is_same);
}

const std::string& node::node_id() const {
    return impl_->node_id();
}

}  // namespace starling::node

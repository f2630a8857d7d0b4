// Brings models up: finds or fetches the file, checks that it fits, loads it on a thread of its own, and tells the
// model table at each step. Lets them go again, while the node runs, and loads more.
//
// Owner: node. Thread: the network executor; only the load itself runs elsewhere, and reports back by posting.
#pragma once

#include "api/model_shelf.hpp"
#include "base/result.hpp"
#include "fetch/fetch.hpp"
#include "models/models.hpp"
#include "node/engine_exit.hpp"
#include "node/model_files.hpp"
#include "node/node.hpp"
#include "node/split_models.hpp"
#include "route/model_table.hpp"
#include "settings/config.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace starling::node {

/// Loads at the same time that were asked for while the node runs: each takes a disk and a thread.
inline constexpr std::size_t max_loads = 4;

/// What a loader works with; all of it outlives the loader.
struct loader_services {
    boost::asio::any_io_executor network;
    models::model_store* store = nullptr;
    route::model_table* table = nullptr;
    fetch::client* http = nullptr;
    std::shared_ptr<spdlog::logger> log;
    std::function<void(const model_event&)> on_model;
    std::function<void()> on_settled;  // what was added at start has ended
    std::function<void()> on_files;    // there may be others than before
    std::function<void(const std::string& id)> on_unloaded;
    std::function<void(split_request what, split_observer observer)> serve_split;  // empty: in no mesh
};

class model_loader {
  public:
    /// `settings` outlives the loader; what is in them when a model is looked at counts.
    model_loader(loader_services services, const settings::config& settings);
    ~model_loader();
    model_loader(const model_loader&) = delete;
    model_loader& operator=(const model_loader&) = delete;

    /// Checks what can be known before anything is loaded, and announces the model. Errors: errc::model.
    result<void> add(const std::string& reference);

    /// The configured upstream server, under this name. Errors: settings::errc (the URL, the key file), errc::data_dir.
    result<void> add_upstream(const std::string& model);

    /// Begins to load everything that was added; standby models only when they are asked for.
    void start();

    /// Loads a standby model; anything else stays as it is.
    void load_standby(std::string_view id);

    // model_loader_wishes.cpp: while the node runs
    /// As api::model_shelf. Several calls may be under way.
    boost::asio::awaitable<result<api::shelf_answer>> load(std::string reference);
    /// Or gives up to load it.
    result<api::shelf_answer> unload(const std::string& id);
    /// It is served here or on its way, and all of it is.
    bool may_unload(std::string_view id) const;

    /// A model that this node was told of, at its start or later.
    struct told_model {
        std::string id;
        models::reference reference;
    };
    std::vector<told_model> told() const;
    bool is_told(std::string_view id) const;

    /// Of a split model that was not named here, should this node come to coordinate it.
    split_observer observe_heir(const std::string& id, const std::filesystem::path& path);

    /// Gives loads up and waits for them.
    boost::asio::awaitable<void> stop();

    /// Waits for the engines that were let go; those that still are somewhere end where they are. After stop().
    void close() { exit_.close(); }

    /// For work on files; what is posted there comes after engines that end.
    boost::asio::any_io_executor files() { return exit_.executor(); }

    std::size_t ready() const { return ready_; }
    /// One of the models is shared with other nodes, which may come later.
    bool waits_for_others() const { return has_split_; }
    /// Of the model that failed last; empty when none did. One that was given up has not failed.
    const std::string& last_failure() const { return last_failure_; }

  private:
    struct loaded {
        std::shared_ptr<engine::generator> generator;
        std::string content;
    };
    enum class named { at_start, later };
    struct wanted {
        bool is_split = false;  // over several nodes
        std::string id;
        models::reference reference;
        std::optional<models::local_model> file;  // none: to be fetched
        std::filesystem::path draft;              // once it was fetched; empty: none
        std::uint64_t needs_bytes = 0;            // by estimate; 0: not known
        named when = named::at_start;
    };

    /// Of one model, from begin() to finish().
    struct load_under_way {
        std::atomic<bool> given_up = false;                     // read by the loading thread, too
        std::list<boost::asio::cancellation_signal> downloads;  // each stays: it may be used when its download is over

        void give_up();
    };
    using shared_load = std::shared_ptr<load_under_way>;

    boost::asio::awaitable<void> bring_up(wanted model, shared_load under_way);
    boost::asio::awaitable<result<wanted>> fetch(wanted model, shared_load under_way);
    boost::asio::awaitable<result<loaded>> load(wanted model, shared_load under_way);
    boost::asio::awaitable<result<models::model_details>> look_up(models::reference which);
    result<std::optional<api::shelf_answer>> find_conflict(const wanted& model) const;
    result<std::optional<api::shelf_answer>> find_served(const std::string& id) const;
    bool is_given_up(std::string_view id) const;
    static std::string state_when_away(const wanted& model);
    std::string put_away(const std::string& id);
    result<void> begin_wish(wanted model);
    memory_in_use used_by_others(const std::string& id) const;
    std::optional<route::model_state> state_of(std::string_view id) const;
    wanted* find(std::string_view id);
    void remember(const wanted& model);
    void share(wanted model);
    split_observer observe_split(std::string id, std::string source);
    boost::asio::awaitable<result<models::local_model>> fetch_file(std::string for_model, models::reference which,
                                                                   shared_load under_way);
    boost::asio::awaitable<result<loaded>> load_on_thread(std::string id, models::local_model file,
                                                          std::filesystem::path draft, shared_load under_way);
    result<loaded> load_blocking(const std::string& id, const models::local_model& file,
                                 const std::filesystem::path& draft, const load_under_way& under_way);
    result<void> choose_place(wanted& model, const models::model_details& details, memory_in_use others);
    result<void> check_memory(const wanted& model, const models::model_details& details, memory_in_use others) const;
    bool may_split() const;
    result<void> find_draft();
    boost::asio::awaitable<result<std::filesystem::path>> fetch_draft(std::string for_model, shared_load under_way);
    void begin(wanted model);
    void finish(const std::string& id, bool given_up, result<loaded> outcome);
    void settle();
    void report(const std::string& id, model_phase phase, float progress, std::string message = {});
    void post_progress(const std::string& id, model_phase phase, float progress);

    loader_services services_;
    const settings::config& settings_;
    engine_exit exit_;
    std::vector<wanted> wanted_;                        // all that this node was told of, each id once
    std::set<std::string, std::less<>> split_;          // those that are cut over several nodes
    std::optional<models::reference> draft_;            // once it was looked for
    std::optional<models::memory_estimate> draft_fit_;  // once its file is known
    std::map<std::string, shared_load, std::less<>> under_way_;
    bool stopping_ = false;
    boost::asio::steady_timer settled_;  // cancelled when `running_` becomes 0
    std::size_t running_ = 0;
    bool has_settled_ = false;
    std::size_t undecided_ = 0;  // of them, split models that wait for other nodes
    bool has_split_ = false;
    std::size_t ready_ = 0;
    std::string last_failure_;
};

}  // namespace starling::node

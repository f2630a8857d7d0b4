// Brings models up: finds or fetches the file, checks that it fits, loads it on a thread of its own, and tells the
// model table at each step.
//
// Owner: node. Thread: the network executor; only the load itself runs elsewhere, and reports back by posting.
#pragma once

#include "base/result.hpp"
#include "fetch/fetch.hpp"
#include "models/models.hpp"
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
#include <string>
#include <vector>

namespace starling::node {

/// What a loader works with; all of it outlives the loader.
struct loader_services {
    boost::asio::any_io_executor network;
    models::model_store* store = nullptr;
    route::model_table* table = nullptr;
    fetch::client* http = nullptr;
    std::shared_ptr<spdlog::logger> log;
    std::function<void(const model_event&)> on_model;
    std::function<void()> on_settled;                                              // nothing loads any more
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

    /// Of a split model that was not named here, should this node come to coordinate it.
    split_observer observe_heir(const std::string& id, const std::filesystem::path& path);

    /// Gives loads up and waits for them.
    boost::asio::awaitable<void> stop();

    std::size_t ready() const { return ready_; }
    /// One of the models is shared with other nodes, which may come later.
    bool waits_for_others() const { return has_split_; }
    /// Of the model that failed last; empty when none did.
    const std::string& last_failure() const { return last_failure_; }

  private:
    struct loaded {
        std::shared_ptr<engine::generator> generator;
        std::string content;
    };
    struct wanted {
        bool is_split = false;  // over several nodes
        std::string id;
        models::reference reference;
        std::optional<models::local_model> file;  // none: to be fetched
        std::filesystem::path draft;              // once it was fetched; empty: none
    };

    boost::asio::awaitable<void> bring_up(wanted model);
    boost::asio::awaitable<result<wanted>> fetch(wanted model);
    boost::asio::awaitable<result<loaded>> load(wanted model);
    void share(wanted model);
    split_observer observe_split(std::string id, std::string source);
    boost::asio::awaitable<result<models::local_model>> fetch_file(std::string for_model, models::reference which);
    boost::asio::awaitable<result<loaded>> load_on_thread(std::string id, models::local_model file,
                                                          std::filesystem::path draft);
    result<loaded> load_blocking(const std::string& id, const models::local_model& file,
                                 const std::filesystem::path& draft);
    result<void> choose_place(wanted& model, const models::model_details& details);
    result<void> check_memory(const models::model_details& model) const;
    bool may_split() const;
    result<void> find_draft();
    boost::asio::awaitable<result<std::filesystem::path>> fetch_draft(std::string for_model);
    void begin(wanted model);
    void finish(const std::string& id, result<loaded> outcome);
    void settle();
    void report(const std::string& id, model_phase phase, float progress, std::string message = {});
    void post_progress(const std::string& id, model_phase phase, float progress);

    loader_services services_;
    const settings::config& settings_;
    std::vector<wanted> wanted_;
    std::optional<models::reference> draft_;                // once it was looked for
    std::optional<models::memory_estimate> draft_fit_;      // once its file is known
    std::list<boost::asio::cancellation_signal> fetching_;  // one for each download
    std::atomic<bool> stopping_ = false;                    // read by loading threads
    boost::asio::steady_timer settled_;                     // cancelled when `running_` becomes 0
    std::size_t running_ = 0;
    std::size_t undecided_ = 0;  // of them, split models that wait for other nodes
    bool has_split_ = false;
    std::size_t ready_ = 0;
    std::string last_failure_;
};

}  // namespace starling::node

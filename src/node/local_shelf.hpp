// The model files of this machine as the API shows them: looked at now and then on the loader's thread for files, kept
// in between.
//
// Owner: node. Thread: the network executor.
#pragma once

#include "aio/task_scope.hpp"
#include "aio/wake_up.hpp"
#include "api/model_shelf.hpp"
#include "models/models.hpp"
#include "node/model_loader.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace starling::node {

/// Another program may fetch or delete a file; what this node does itself is looked at at once.
inline constexpr std::chrono::seconds look_again_after{15};

/// All of it outlives the shelf.
struct shelf_parts {
    boost::asio::any_io_executor network;
    models::model_store* store = nullptr;
    model_loader* loader = nullptr;
    std::shared_ptr<spdlog::logger> log;
    std::string refuses_loads;  // why this node loads nothing; empty: it does
};

class local_shelf final : public api::model_shelf {
  public:
    explicit local_shelf(shelf_parts with);

    /// Before the loader is closed.
    boost::asio::awaitable<void> stop();

    /// There may be other files than before.
    void outdated() { is_outdated_ = true; }

    // api::model_shelf
    const std::vector<api::shelf_file>& files() override;
    boost::asio::awaitable<void> look() override;
    bool may_load(std::string_view id) const override;
    bool may_unload(std::string_view id) const override { return with_.loader->may_unload(id); }
    boost::asio::awaitable<result<api::shelf_answer>> load(std::string reference) override;
    result<api::shelf_answer> unload(const std::string& id) override;

  private:
    struct seen {
        std::uint64_t size_bytes = 0;
        std::filesystem::file_time_type changed;
        std::int64_t context_length = 0;
    };
    bool is_fresh() const;
    void begin_look();
    boost::asio::awaitable<void> run_look();
    boost::asio::awaitable<std::vector<api::shelf_file>> read_all(std::vector<model_loader::told_model> told);
    api::shelf_file describe(const models::local_model& file, std::string id);

    shelf_parts with_;
    std::vector<api::shelf_file> files_;
    std::optional<std::chrono::steady_clock::time_point> looked_at_;  // none: not yet
    bool is_outdated_ = false;
    bool looking_ = false;
    std::map<std::filesystem::path, seen> seen_;  // the thread's that reads files
    aio::wake_up looked_;
    aio::task_scope tasks_;
};

}  // namespace starling::node

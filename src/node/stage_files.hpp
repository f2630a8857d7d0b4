// The model files of this machine that a part of a model can be loaded from, by what they are and not by their names:
// nodes that share a model need not have called it the same.
//
// Owner: split_models. Thread: the network executor; files are read on a disk thread.
#pragma once

#include "gguf/slice.hpp"
#include "models/models.hpp"
#include "settings/config.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog {
class logger;
}

namespace starling::node {

struct stage_file {
    std::filesystem::path path;
    std::string content;  // models::content_id of the whole model
    gguf::layer_range layers;
    std::int32_t of_layers = 0;
};

/// A model that somebody named.
struct named_file {
    std::string id;
    stage_file file;  // with all layers
};

/// Some layers of a model, for as long as it is held.
struct cut_file {
    std::filesystem::path path;
    std::optional<gguf::fresh_slice> fresh = {};  // it was made just now: for keep() when it has been read
    std::shared_ptr<void> held = {};              // it was there: nobody removes it meanwhile
};

/// That this file is no whole model, as a sentence.
std::string part_of_a_model(const std::filesystem::path& path, gguf::layer_range layers, std::int32_t of_layers);

class stage_files {
  public:
    /// `store` outlives it.
    stage_files(const settings::config& settings, models::model_store& store, std::shared_ptr<spdlog::logger> log);

    /// Looks at the store, the models that were named, --model-dir and the slices of earlier runs. Files that were seen
    /// before and have not changed are not read again.
    boost::asio::awaitable<void> look();

    const std::vector<stage_file>& all() const { return files_; }

    /// A file that has these layers and what a stage of them needs besides; a slice of ours, which may go at any time,
    /// only where nothing else has them.
    std::optional<stage_file> find(std::string_view content, gguf::layer_range layers) const;

    /// A file with all layers.
    std::optional<stage_file> find_whole(std::string_view content) const;

    /// The whole model in this file; nothing where look() has not seen it.
    std::optional<stage_file> at(const std::filesystem::path& path) const;

    /// What a reference means, also by an id under which a model is served or lies here; it need not be among all().
    /// Errors: those of models and gguf.
    boost::asio::awaitable<result<named_file>> find_named(models::reference which);

    /// The same as a file of just these layers, cut out of another if there is none. Blocks: for a thread that loads.
    result<cut_file> slice(const stage_file& from, gguf::layer_range layers);

    /// Of a slice that cannot be read: whether it was one of ours from an earlier run; then it is gone now.
    bool discard(const cut_file& broken);

    /// Of a slice that was read: the disk may take as long as it needs to have it for the next time. Any thread.
    void keep(gguf::fresh_slice fresh, const stage_file& from);

    /// Where slices are kept.
    const std::filesystem::path& slices() const { return slices_; }

  private:
    struct seen {
        std::uintmax_t size = 0;
        std::filesystem::file_time_type changed;
        std::optional<stage_file> file;  // none: of no use
    };
    std::vector<std::filesystem::path> candidates() const;
    std::vector<stage_file> read_all(const std::vector<std::filesystem::path>& paths);
    const std::optional<stage_file>& look_at(const std::filesystem::path& path);
    result<named_file> read_named(const models::reference& which);
    std::optional<stage_file> read(const std::filesystem::path& path) const;
    void keep_few(const std::filesystem::path& newest, std::string_view content);
    bool is_slice(const std::filesystem::path& path) const { return path.parent_path() == slices_; }
    std::shared_ptr<void> hold(const std::filesystem::path& slice);

    const settings::config& settings_;
    models::model_store& store_;
    std::shared_ptr<spdlog::logger> log_;
    std::filesystem::path slices_;
    std::vector<stage_file> files_;
    std::map<std::filesystem::path, seen> seen_;  // the disk thread's
    std::mutex slices_mutex_;                     // of what is in the folder, and of
    std::multiset<std::filesystem::path> held_;   // what is being read there
    boost::asio::thread_pool disk_{1};
};

}  // namespace starling::node

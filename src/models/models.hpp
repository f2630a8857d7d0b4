// Model files: what a reference means on this machine, what is there, and fetching what is not.
//
// Owner: the program. Thread: `list`, `show`, `find` and `remove` read and write files and are called where that may
// block; `pull` is awaited on any executor and works on the store's own disk threads, so that hashing and writing never
// hold up the network. Several processes may use one data directory: a pull holds a lock on its partial file.
//
//   <data>/models/starter-<first 12 digits of its SHA-256>.gguf
//   <data>/models/hub/<owner>/<repository>/<file>          a finished download, whole and checked
//   <data>/models/hub/<owner>/<repository>/<file>.json     where it came from
//   …<file>.part, …<file>.part.json                        a download that can be resumed
//
// A finished file appears by a rename of data that is on the disk, so it is never half-written.
#pragma once

#include "fetch/fetch.hpp"
#include "models/errc.hpp"
#include "models/fit.hpp"
#include "models/reference.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace starling::models {

template <class T>
using awaitable = boost::asio::awaitable<T>;

struct local_model {
    std::string id;
    std::filesystem::path path;
    std::uint64_t size_bytes = 0;
    std::optional<std::string> sha256;  // 64 hex digits, where known
    std::string source;                 // the reference that names it
};

/// What a model file says about itself, and what it would take to run.
struct model_details {
    local_model file;
    std::string name;
    std::string architecture;
    std::string quantization;  // of most of its bytes, like "q8_0"
    std::uint64_t parameters = 0;
    std::int64_t layers = 0;
    std::int64_t context_length = 0;
    std::int64_t vocabulary = 0;
    std::int64_t experts = 0;
    bool has_chat_template = false;
    memory_estimate memory;
};

enum class pull_phase {
    waiting,   // another process fetches the same file
    checking,  // hashing what an earlier attempt left
    downloading,
    retrying,  // the connection was cut; waiting before the next attempt
};

struct pull_progress {
    pull_phase phase = pull_phase::downloading;
    std::uint64_t bytes = 0;
    std::uint64_t total_bytes = 0;  // 0: not known yet
    double bytes_per_s = 0.0;       // over the last seconds
};

/// Called on a disk thread, at most ten times a second and at the end.
using on_pull_progress = std::function<void(const pull_progress&)>;

struct store_options {
    std::filesystem::path data_dir;
    std::string hub_url = "https://huggingface.co";
    std::string hub_token;               // sent to the hub alone, over TLS or loopback alone; never logged
    std::span<const std::byte> starter;  // the built-in model; must outlive the store; empty: none

    /// Memory that a model may take; a download that would not fit is refused. 0: not checked.
    std::uint64_t memory_bytes = 0;
    std::int64_t context = 0;  // for the estimate
    std::int64_t slots = 1;

    std::function<std::uint64_t(const std::filesystem::path&)> free_disk_bytes;  // empty: ask the system
    std::chrono::milliseconds idle_timeout{30'000};      // a download that stands still this long is tried again
    std::chrono::milliseconds first_retry_delay{1'000};  // doubled each time nothing comes, up to half a minute
    int max_attempts = 6;                                // in a row without a new byte
};

class model_store {
  public:
    model_store(const model_store&) = delete;
    model_store& operator=(const model_store&) = delete;
    /// Pulls must have ended.
    virtual ~model_store() = default;

    /// Makes <data>/models if it is not there. `client` must outlive the store.
    static result<std::unique_ptr<model_store>> create(store_options options, fetch::client& client);

    /// What is on this machine, by id; the starter first.
    virtual result<std::vector<local_model>> list() = 0;

    /// The file of a reference. Writes the starter to disk when it is not there. errc::not_here for a hub reference
    /// that was not pulled.
    virtual result<local_model> find(const reference& which) = 0;

    /// Reads the file's header.
    virtual result<model_details> show(const reference& which) = 0;

    /// Fetches a hub reference; resumes what an earlier attempt left. Already here: the file at once. Other references
    /// are found, not fetched. Cancelling the waiting coroutine stops it; what has come is kept.
    virtual awaitable<result<local_model>> pull(reference which, on_pull_progress progress) = 0;

    /// store_options::memory_bytes, for downloads that begin from now on.
    virtual void set_memory(std::uint64_t bytes) = 0;

    /// Deletes a download, or what is left of a broken one. The starter and files outside the store are refused.
    virtual result<void> remove(const reference& which) = 0;

  protected:
    model_store() = default;
};

}  // namespace starling::models

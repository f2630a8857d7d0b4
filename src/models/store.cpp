#include "models/models.hpp"

#include "aio/run_on.hpp"
#include "models/puller.hpp"

#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <mutex>

namespace starling::models {

namespace {

// One download fills most connections; a second one need not wait while the first is hashed.
constexpr std::size_t disk_threads = 2;
// hub/<owner>/<repository>/<folders>/<file>
constexpr int max_folder_depth = 8;
constexpr std::size_t max_listed = 10'000;
constexpr std::size_t starter_digits = 12;

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
    const auto [in_folder, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    (void)rest;
    return in_folder == folder.end();
}

class file_store final : public model_store {
  public:
    file_store(store_options options, fetch::client& client)
        : options_(std::move(options)),
          memory_bytes_(options_.memory_bytes),
          client_(client),
          folder_(options_.data_dir / "models"),
          disk_(disk_threads) {}

    result<std::vector<local_model>> list() override;
    result<local_model> find(const reference& which) override;
    result<model_details> show(const reference& which) override;
    awaitable<result<local_model>> pull(reference which, on_pull_progress progress) override;
    void set_memory(std::uint64_t bytes) override { memory_bytes_ = bytes; }
    result<void> remove(const reference& which) override;

  private:
    std::filesystem::path hub_path(const reference& which) const {
        return folder_ / "hub" / which.owner / which.repository / which.path;
    }
    result<local_model> find_starter();
    result<local_model> find_file(const reference& which) const;
    result<local_model> find_by_id(const std::string& id);
    awaitable<result<local_model>> pull_on_disk_thread(reference which, on_pull_progress progress);

    const store_options options_;
    std::atomic<std::uint64_t> memory_bytes_;  // read on disk threads
    fetch::client& client_;
    const std::filesystem::path folder_;
    std::once_flag hashed_;
    std::string starter_digest_;  // once it was asked for: lists are made again and again
    boost::asio::thread_pool disk_;
};

result<local_model> file_store::find_starter() {
    if (options_.starter.empty()) {
        return fail(errc::not_found, "this build has no starter model; name a .gguf file with --model");
    }
    std::call_once(hashed_, [this] { starter_digest_ = sha256_hex(options_.starter); });
    const std::string& digest = starter_digest_;
    const std::filesystem::path path = folder_ / ("starter-" + digest.substr(0, starter_digits) + ".gguf");
    if (!has_content(path, options_.starter)) {
        const std::string_view bytes(reinterpret_cast<const char*>(options_.starter.data()), options_.starter.size());
        if (auto written = write_durably(path, bytes); !written) {
            return written.error();
        }
    }
    return local_model{"starter", path, options_.starter.size(), digest, "starter"};
}

result<local_model> file_store::find_file(const reference& which) const {
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(which.path, failed);
    if (!std::filesystem::exists(path, failed)) {
        return fail(errc::not_found, "there is no file " + path.string() + "; check the path");
    }
    auto found = stored_model(path, which);
    if (!found) {
        return fail(errc::not_found, path.string() + " is not a file that can be read; give the path of a .gguf file");
    }
    return std::move(*found);
}

result<local_model> file_store::find_by_id(const std::string& id) {
    auto all = list();
    if (!all) {
        return all.error();
    }
    const auto is_named = [&](const local_model& m) { return m.id == id; };
    const auto found = std::find_if(all->begin(), all->end(), is_named);
    if (found == all->end()) {
        return fail(errc::not_found, "there is no model '" + id + "' here; 'starling models list' shows what there is");
    }
    const auto other = std::find_if(std::next(found), all->end(), is_named);
    if (other != all->end()) {
        return fail(errc::bad_reference,
                    "more than one model is called '" + id + "'; give " + found->source + " or " + other->source);
    }
    return std::move(*found);
}

result<local_model> file_store::find(const reference& which) {
    switch (which.kind) {
        case reference_kind::starter: return find_starter();
        case reference_kind::file: return find_file(which);
        case reference_kind::id: return find_by_id(which.path);
        case reference_kind::hub: break;
    }
    auto found = stored_model(hub_path(which), which);
    if (!found) {
        return fail(errc::not_here, which.text() + " is not on this machine; fetch it with 'starling models pull " +
                                        which.text() + "'");
    }
    return std::move(*found);
}

result<std::vector<local_model>> file_store::list() {
    std::vector<local_model> out;
    if (!options_.starter.empty()) {
        auto starter = find_starter();
        if (!starter) {
            return starter.error();
        }
        out.push_back(std::move(*starter));
    }
    const std::filesystem::path hub = folder_ / "hub";
    std::error_code failed;
    std::vector<local_model> downloads;
    for (auto next = std::filesystem::recursive_directory_iterator(hub, failed);
         !failed && next != std::filesystem::recursive_directory_iterator(); next.increment(failed)) {
        if (next.depth() > max_folder_depth) {
            next.disable_recursion_pending();
        }
        const std::string inside = next->path().lexically_relative(hub).generic_string();
        const auto which =
            next->path().extension() == ".gguf" ? parse_reference("hf://" + inside) : fail(errc::bad_reference, "");
        auto found = which ? stored_model(next->path(), *which) : std::nullopt;
        if (found && downloads.size() < max_listed) {
            downloads.push_back(std::move(*found));
        }
    }
    if (failed && std::filesystem::exists(hub)) {
        return fail(errc::io_failed, "cannot read " + hub.string() + ": " + failed.message());
    }
    std::sort(downloads.begin(), downloads.end(), [](const local_model& a, const local_model& b) {
        return std::tie(a.id, a.source) < std::tie(b.id, b.source);
    });
    std::move(downloads.begin(), downloads.end(), std::back_inserter(out));
    return out;
}

result<model_details> file_store::show(const reference& which) {
    auto found = find(which);
    if (!found) {
        return found.error();
    }
    const auto header = gguf::read_header(found->path);
    if (!header) {
        return fail(errc::bad_model, header.error().message);
    }
    model_details out;
    out.file = std::move(*found);
    out.name = header->name();
    out.architecture = header->architecture();
    out.quantization = header->dominant_type();
    out.parameters = header->parameters();
    out.layers = header->layers();
    out.context_length = header->context_length();
    out.vocabulary = header->vocabulary_size();
    out.experts = header->experts();
    out.has_chat_template = !header->chat_template().empty();
    out.memory = estimate(*header, options_.context, options_.slots);
    return out;
}

awaitable<result<local_model>> file_store::pull(reference which, on_pull_progress progress) {
    // On a strand, because a cancellation comes from the caller's thread.
    auto strand = boost::asio::make_strand(disk_.get_executor());
    auto pulling = pull_on_disk_thread(std::move(which), std::move(progress));
    co_return co_await aio::run_on(strand, std::move(pulling));
}

awaitable<result<local_model>> file_store::pull_on_disk_thread(reference which, on_pull_progress progress) {
    if (which.kind != reference_kind::hub) {
        co_return find(which);
    }
    const std::filesystem::path target = hub_path(which);
    std::error_code failed;
    std::filesystem::create_directories(target.parent_path(), failed);
    if (failed) {
        co_return fail(errc::io_failed,
                       "cannot make the folder " + target.parent_path().string() + ": " + failed.message());
    }
    store_options options = options_;
    options.memory_bytes = memory_bytes_;
    puller one(options, client_, std::move(which), target, std::move(progress));
    co_return co_await one.run();
}

result<void> file_store::remove(const reference& which) {
    if (which.kind == reference_kind::starter) {
        return fail(errc::bad_reference, "the starter model is built in and cannot be removed");
    }
    std::filesystem::path path = hub_path(which);
    if (which.kind != reference_kind::hub) {
        auto found = find(which);
        if (!found) {
            return found.error();
        }
        std::error_code failed;
        path = std::filesystem::weakly_canonical(found->path, failed);
        if (!is_below(path, std::filesystem::weakly_canonical(folder_ / "hub", failed))) {
            return fail(errc::bad_reference,
                        found->path.string() + " was not fetched by Starling, so it is yours to delete");
        }
    }
    std::filesystem::path part = path;
    part += ".part";
    std::error_code failed;
    const bool has_part = std::filesystem::exists(part, failed);
    auto locked = has_part ? part_file::lock(part) : std::optional<part_file>();
    if (!locked) {
        return locked.error();
    }
    if (has_part && !*locked) {
        return fail(errc::busy, which.text() + " is being fetched at this moment; stop that first");
    }
    const bool was_there = std::filesystem::remove(path, failed);
    if (failed) {
        return fail(errc::io_failed, "cannot delete " + path.string() + ": " + failed.message());
    }
    for (const char* suffix : {".json", ".part.json"}) {
        std::filesystem::path beside = path;
        beside += suffix;
        std::filesystem::remove(beside, failed);
    }
    if (*locked) {
        (*locked)->discard();
    }
    // Folders that are empty now; remove() refuses the others.
    for (auto folder = path.parent_path(); folder != folder_ && is_below(folder, folder_);
         folder = folder.parent_path()) {
        if (!std::filesystem::remove(folder, failed)) {
            break;
        }
    }
    if (!was_there && !has_part) {
        return fail(errc::not_here, which.text() + " is not on this machine");
    }
    return {};
}

}  // namespace

result<std::unique_ptr<model_store>> model_store::create(store_options options, fetch::client& client) {
    std::error_code failed;
    const std::filesystem::path folder = options.data_dir / "models";
    std::filesystem::create_directories(folder, failed);
    if (failed) {
        return fail(errc::io_failed, "cannot make the folder " + folder.string() + ": " + failed.message() +
                                         "; choose another --data-dir");
    }
    return std::unique_ptr<model_store>(std::make_unique<file_store>(std::move(options), client));
}

}  // namespace starling::models

#include "node/stage_files.hpp"

#include "aio/run_on.hpp"
#include "gguf/range_source.hpp"
#include "models/content_id.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace starling::node {

namespace fs = std::filesystem;
namespace asio = boost::asio;

namespace {

constexpr std::size_t max_files = 1'000;          // of all directories: each is read at the start
constexpr std::size_t kept_slices = 2;            // of one model: of this deployment and of the one before
constexpr std::size_t shown_content_digits = 16;  // enough to tell models apart

void add_models_of(const fs::path& directory, std::vector<fs::path>& out) {
    std::error_code failed;
    for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
        std::error_code unknown;
        if (at->path().extension() == ".gguf" && at->is_regular_file(unknown) && out.size() < max_files) {
            out.push_back(at->path());
        }
    }
}

/// What was being written when an earlier run ended.
void remove_unfinished(const fs::path& directory) {
    std::error_code failed;
    for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
        std::error_code unknown;
        if (at->path().extension() == ".tmp") {
            fs::remove(at->path(), unknown);
        }
    }
}

}  // namespace

std::string part_of_a_model(const fs::path& path, gguf::layer_range layers, std::int32_t of_layers) {
    return fmt::format("{} is a part of a model, layers {} to {} of {}; name the whole one.", path.string(),
                       layers.first, layers.end - 1, of_layers);
}

stage_files::stage_files(const settings::config& settings, models::model_store& store,
                         std::shared_ptr<spdlog::logger> log)
    : settings_(settings), store_(store), log_(std::move(log)), slices_(settings.data_dir / "slices") {
    remove_unfinished(slices_);
}

std::vector<fs::path> stage_files::candidates() const {
    std::vector<fs::path> out;
    add_models_of(slices_, out);
    if (auto stored = store_.list()) {
        for (const models::local_model& one : *stored) {
            out.push_back(one.path);
        }
    }
    for (const std::string& text : settings_.models) {
        const auto reference = models::parse_reference(text);
        const auto named = reference ? store_.find(*reference) : result<models::local_model>(reference.error());
        if (named) {
            out.push_back(named->path);
        }
    }
    for (const std::string& directory : settings_.model_dirs) {
        std::error_code unknown;
        if (!fs::is_directory(directory, unknown)) {
            log_->warn("--model-dir {} is not a directory", directory);
        }
        add_models_of(directory, out);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

asio::awaitable<void> stage_files::look() {
    const auto reading = [](stage_files* self) -> asio::awaitable<std::vector<stage_file>> {
        co_return self->read_all(self->candidates());
    };
    auto work = reading(this);
    auto found = co_await aio::run_on(disk_.get_executor(), std::move(work));
    files_ = std::move(found);
}

std::vector<stage_file> stage_files::read_all(const std::vector<fs::path>& paths) {
    std::vector<stage_file> out;
    for (const fs::path& path : paths) {
        if (const auto& file = look_at(path)) {
            out.push_back(*file);
        }
    }
    return out;
}

const std::optional<stage_file>& stage_files::look_at(const fs::path& path) {
    std::error_code unknown;
    const seen now{
        .size = fs::file_size(path, unknown), .changed = fs::last_write_time(path, unknown), .file = std::nullopt};
    auto [known, is_new] = seen_.try_emplace(path, now);
    if (is_new || known->second.size != now.size || known->second.changed != now.changed) {
        known->second = now;
        known->second.file = read(path);
    }
    return known->second.file;
}

result<named_file> stage_files::read_named(const models::reference& which) {
    auto found = store_.find(which);
    for (const std::string& text : settings_.models) {
        const auto served = models::parse_reference(text);
        if (!found && which.kind == models::reference_kind::id && served && served->id() == which.path) {
            found = store_.find(*served);
        }
    }
    if (!found && which.kind == models::reference_kind::id) {
        for (const fs::path& path : candidates()) {
            if (path.stem() == which.path && look_at(path)) {
                return named_file{.id = which.path, .file = *look_at(path)};
            }
        }
    }
    if (!found) {
        return found.error();
    }
    const auto& file = look_at(found->path);
    if (!file) {
        const auto header = gguf::read_header(found->path);
        return header ? fail(models::errc::bad_model, found->path.string() + " cannot be read.") : header.error();
    }
    if (file->layers.size() < file->of_layers) {
        return fail(models::errc::bad_model, part_of_a_model(found->path, file->layers, file->of_layers));
    }
    return named_file{.id = found->id, .file = *file};
}

asio::awaitable<result<named_file>> stage_files::find_named(models::reference which) {
    const auto reading = [](stage_files* self, models::reference what) -> asio::awaitable<result<named_file>> {
        co_return self->read_named(what);
    };
    auto work = reading(this, std::move(which));
    co_return co_await aio::run_on(disk_.get_executor(), std::move(work));
}

std::optional<stage_file> stage_files::read(const fs::path& path) const {
    const auto header = gguf::read_header(path);
    if (!header) {
        log_->debug("{}", header.error().message);
        return std::nullopt;
    }
    if (const auto origin = gguf::origin_of(*header)) {
        if (origin->content.empty()) {
            return std::nullopt;
        }
        return stage_file{
            .path = path, .content = origin->content, .layers = origin->layers, .of_layers = origin->of_layers};
    }
    auto content = models::content_id(path);
    if (!content) {
        log_->debug("{}", content.error().message);
        return std::nullopt;
    }
    const auto layers = static_cast<std::int32_t>(header->layers());
    return stage_file{
        .path = path, .content = std::move(*content), .layers = {.first = 0, .end = layers}, .of_layers = layers};
}

std::optional<stage_file> stage_files::find(std::string_view content, gguf::layer_range layers) const {
    const stage_file* best = nullptr;
    const auto is_better = [&](const stage_file& one) {
        const auto rank = [&](const stage_file& of) { return std::pair(is_slice(of.path), of.layers.size()); };
        return best == nullptr || rank(one) < rank(*best);
    };
    for (const stage_file& one : files_) {
        const bool has_layers =
            one.content == content && one.layers.first <= layers.first && layers.end <= one.layers.end;
        // The first stage needs the embedding and the last the output head: only the ends of a model have them.
        const bool has_ends = has_layers && (layers.first > 0 || one.layers.first == 0) &&
                              (layers.end < one.of_layers || one.layers.end == one.of_layers);
        std::error_code unknown;
        if (has_ends && is_better(one) && fs::exists(one.path, unknown)) {
            best = &one;
        }
    }
    return best != nullptr ? std::optional(*best) : std::nullopt;
}

std::optional<stage_file> stage_files::find_whole(std::string_view content) const {
    const auto found = std::find_if(files_.begin(), files_.end(), [&](const stage_file& one) {
        return one.content == content && one.layers.size() == one.of_layers;
    });
    return found != files_.end() ? std::optional(*found) : std::nullopt;
}

std::optional<stage_file> stage_files::at(const fs::path& path) const {
    const auto found =
        std::find_if(files_.begin(), files_.end(), [&](const stage_file& one) { return one.path == path; });
    return found != files_.end() ? find_whole(found->content) : std::nullopt;
}

result<cut_file> stage_files::slice(const stage_file& from, gguf::layer_range layers) {
    auto held_source = hold(from.path);
    if (from.layers == layers) {
        return cut_file{.path = from.path, .held = std::move(held_source)};
    }
    const fs::path to =
        slices_ / fmt::format("{}-{}-{}.gguf", from.content.substr(0, shown_content_digits), layers.first, layers.end);
    std::error_code failed;
    fs::create_directories(slices_, failed);
    if (failed) {
        return fail(gguf::errc::io_failed, slices_.string() + " cannot be made: " + failed.message());
    }
    auto held = hold(to);
    const auto there = gguf::read_header(to);
    const auto origin = there ? gguf::origin_of(*there) : std::nullopt;
    if (origin && origin->content == from.content && origin->layers == layers) {
        keep_few(to, from.content);
        return cut_file{.path = to, .held = std::move(held)};
    }
    const auto header = gguf::read_header(from.path);
    if (!header) {
        return header.error();
    }
    const auto plan = gguf::plan_slice(*header, layers, from.content);
    if (!plan) {
        return plan.error();
    }
    auto source = gguf::open_file(from.path);
    if (!source) {
        return source.error();
    }
    auto written = gguf::write_fresh_slice(*plan, **source, to);
    if (!written) {
        return written.error();
    }
    cut_file out{.path = written->path()};
    out.fresh = std::move(*written);
    return out;
}

bool stage_files::discard(const cut_file& broken) {
    std::error_code failed;
    if (broken.fresh || !is_slice(broken.path) || !fs::remove(broken.path, failed)) {
        return false;
    }
    log_->warn("{} was broken; it is cut anew", broken.path.string());
    return true;
}

void stage_files::keep(gguf::fresh_slice fresh, const stage_file& from) {
    auto held = std::make_shared<gguf::fresh_slice>(std::move(fresh));
    asio::post(disk_, [this, held, content = from.content] {
        if (const auto kept = held->keep(); !kept) {
            log_->warn("{}: it is cut anew the next time", kept.error().message);
            return;
        }
        keep_few(held->name(), content);
    });
}

/// Slices are made again in seconds where the whole model is here; more than a few only take disk.
void stage_files::keep_few(const fs::path& newest, std::string_view content) {
    const std::lock_guard lock(slices_mutex_);
    const std::string prefix(content.substr(0, shown_content_digits));
    std::vector<fs::path> others;
    add_models_of(slices_, others);
    std::erase_if(others,
                  [&](const fs::path& one) { return one == newest || one.filename().string().rfind(prefix, 0) != 0; });
    const auto age = [](const fs::path& one) {
        std::error_code unknown;
        return fs::last_write_time(one, unknown);
    };
    std::sort(others.begin(), others.end(), [&](const fs::path& a, const fs::path& b) { return age(a) > age(b); });
    for (std::size_t i = kept_slices - 1; i < others.size(); ++i) {
        std::error_code failed;
        if (!held_.contains(others[i])) {
            fs::remove(others[i], failed);
        }
    }
}

std::shared_ptr<void> stage_files::hold(const fs::path& slice) {
    const std::lock_guard lock(slices_mutex_);
    held_.insert(slice);
    return {nullptr, [this, slice](void*) {
                const std::lock_guard again(slices_mutex_);
                held_.erase(held_.find(slice));
            }};
}

}  // namespace starling::node

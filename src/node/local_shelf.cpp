#include "node/local_shelf.hpp"

#include "aio/run_on.hpp"
#include "gguf/gguf.hpp"
#include "node/log_bugs.hpp"

#include <spdlog/logger.h>

#include <algorithm>

namespace starling::node {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

/// A look that takes longer than a person waits: the rows come with what is known.
constexpr std::chrono::seconds longest_wait{10};

}  // namespace

local_shelf::local_shelf(shelf_parts with)
    : with_(std::move(with)), looked_(with_.network), tasks_(with_.network, log_bugs(with_.log, "model files")) {}

asio::awaitable<void> local_shelf::stop() {
    tasks_.cancel();
    co_await tasks_.join();
}

bool local_shelf::is_fresh() const {
    return looked_at_ && !looking_ && !is_outdated_ && steady_clock::now() - *looked_at_ < look_again_after;
}

const std::vector<api::shelf_file>& local_shelf::files() {
    begin_look();
    return files_;
}

asio::awaitable<void> local_shelf::look() {
    const auto until = steady_clock::now() + longest_wait;
    while (!is_fresh()) {
        begin_look();
        const bool in_time = co_await looked_.wait_until(until);
        if (!in_time) {
            co_return;
        }
    }
}

void local_shelf::begin_look() {
    if (!is_fresh() && !looking_) {
        looking_ = true;
        tasks_.spawn(run_look());
    }
}

asio::awaitable<void> local_shelf::run_look() {
    const std::shared_ptr<void> at_end(nullptr, [this](void*) {
        looking_ = false;
        looked_at_ = steady_clock::now();
        looked_.notify();
    });
    is_outdated_ = false;  // what changes while the disk is read has to be read again
    auto reading = read_all(with_.loader->told());
    auto found = co_await aio::run_on(with_.loader->files(), std::move(reading));
    files_ = std::move(found);
}

asio::awaitable<std::vector<api::shelf_file>> local_shelf::read_all(std::vector<model_loader::told_model> told) {
    std::vector<api::shelf_file> out;
    const auto add = [&](const models::local_model& file, const std::string& id) {
        if (std::none_of(out.begin(), out.end(), [&](const api::shelf_file& one) { return one.id == id; })) {
            out.push_back(describe(file, id));
        }
    };
    // What was named comes first: of two files of one name it is the one that is meant.
    for (const model_loader::told_model& one : told) {
        if (const auto file = with_.store->find(one.reference)) {
            add(*file, one.id);
        }
    }
    const auto kept = with_.store->list();
    if (!kept) {
        with_.log->warn("the model files cannot be listed: {}", kept.error().message);
    }
    for (const models::local_model& file : kept ? *kept : std::vector<models::local_model>()) {
        add(file, file.id);
    }
    co_return out;
}

/// Headers are long, with all the words of a model in them: one that has not changed is not read again.
api::shelf_file local_shelf::describe(const models::local_model& file, std::string id) {
    std::error_code unknown;
    const auto changed = std::filesystem::last_write_time(file.path, unknown);
    seen& known = seen_[file.path];
    if (known.size_bytes != file.size_bytes || known.changed != changed) {
        const auto header = gguf::read_header(file.path);
        known = {
            .size_bytes = file.size_bytes, .changed = changed, .context_length = header ? header->context_length() : 0};
    }
    return {.id = std::move(id),
            .source = file.source,
            .size_bytes = file.size_bytes,
            .context_length = known.context_length};
}

bool local_shelf::may_load(std::string_view id) const {
    return with_.refuses_loads.empty() &&
           (with_.loader->is_told(id) ||
            std::any_of(files_.begin(), files_.end(), [&](const api::shelf_file& one) { return one.id == id; }));
}

asio::awaitable<result<api::shelf_answer>> local_shelf::load(std::string reference) {
    if (!with_.refuses_loads.empty()) {
        co_return fail(engine::errc::invalid_request, with_.refuses_loads);
    }
    auto loading = with_.loader->load(std::move(reference));
    auto begun = co_await std::move(loading);
    outdated();
    co_return begun;
}

result<api::shelf_answer> local_shelf::unload(const std::string& id) {
    auto done = with_.loader->unload(id);
    outdated();
    return done;
}

}  // namespace starling::node

#include "fetch/driver.hpp"

#include <algorithm>

namespace starling::fetch {

namespace {

// Connections kept open for the next request to the same host.
constexpr long max_idle_connections = 16;
// The longest sleep; every event wakes the driver, so this is only a safety net.
constexpr int longest_poll_ms = 1000;

// libcurl wants one initialisation in a process, whoever does it first.
bool initialise_libcurl() {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return ready;
}

}  // namespace

result<std::shared_ptr<driver>> driver::create() {
    CURLM* multi = initialise_libcurl() ? curl_multi_init() : nullptr;
    if (multi == nullptr) {
        return fail(errc::internal, "libcurl could not be initialised");
    }
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, max_idle_connections);
    std::shared_ptr<driver> made(new driver(multi));
    made->thread_ = std::thread(&driver::run_transfer_loop, made.get());
    return made;
}

driver::~driver() {
    stop();
    curl_multi_cleanup(multi_);
}

void driver::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) {
        thread_.join();
    }
}

void driver::push(command what) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) {
            if (what.started) {
                what.started->cancel();
            }
            return;
        }
        commands_.push_back(std::move(what));
    }
    curl_multi_wakeup(multi_);
}

void driver::start(std::unique_ptr<transfer> what) {
    const transfer_id id = what->id();
    push({command::kind::start, id, std::move(what)});
}

void driver::resume(transfer_id id) {
    push({command::kind::resume, id, nullptr});
}

void driver::cancel(transfer_id id) {
    push({command::kind::cancel, id, nullptr});
}

void driver::run_transfer_loop() {
    for (;;) {
        {
            const std::scoped_lock lock(mutex_);
            if (stopping_) {
                break;
            }
        }
        take_commands();
        int running = 0;
        curl_multi_perform(multi_, &running);
        take_results();
        check_idle();
        curl_multi_poll(multi_, nullptr, 0, poll_timeout_ms(), nullptr);
    }
    take_commands();
    while (!active_.empty()) {
        active_.begin()->second->cancel();
        drop(active_.begin()->first);
    }
}

void driver::take_commands() {
    std::vector<command> taken;
    {
        const std::scoped_lock lock(mutex_);
        taken.swap(commands_);
    }
    for (command& next : taken) {
        if (next.what == command::kind::start) {
            transfer& started = *next.started;
            active_.emplace(next.id, std::move(next.started));
            if (curl_multi_add_handle(multi_, started.handle()) != CURLM_OK) {
                started.finish(CURLE_FAILED_INIT);
                active_.erase(next.id);
            }
            continue;
        }
        const auto found = active_.find(next.id);
        if (found == active_.end()) {
            continue;
        }
        if (next.what == command::kind::resume) {
            found->second->resume();
        } else {
            drop(next.id);
        }
    }
}

void driver::take_results() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        const CURLcode code = message->data.result;
        char* owner = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        auto* done = reinterpret_cast<transfer*>(owner);
        done->finish(code);
        drop(done->id());
    }
}

void driver::check_idle() {
    const auto now = std::chrono::steady_clock::now();
    for (auto next = active_.begin(); next != active_.end();) {
        transfer& checked = *(next++)->second;
        if (checked.idle_deadline() <= now) {
            checked.time_out();
            drop(checked.id());
        }
    }
}

int driver::poll_timeout_ms() const {
    using namespace std::chrono;
    const auto now = steady_clock::now();
    auto wait = milliseconds(longest_poll_ms);
    for (const auto& [id, checked] : active_) {
        const auto deadline = checked->idle_deadline();
        if (deadline != steady_time::max()) {
            wait = std::min(wait, std::max(ceil<milliseconds>(deadline - now), milliseconds(0)));
        }
    }
    return static_cast<int>(wait.count());
}

void driver::drop(transfer_id id) {
    const auto found = active_.find(id);
    curl_multi_remove_handle(multi_, found->second->handle());
    active_.erase(found);
}

std::string library_version() {
    return curl_version_info(CURLVERSION_NOW)->version;
}

}  // namespace starling::fetch

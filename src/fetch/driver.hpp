// The one thread that owns every connection: a libcurl multi handle and a queue of commands for it.
//
// `start`, `resume`, `cancel` and `stop` may be called from any thread; each takes effect at the driver's next turn,
// which they bring about at once.
#pragma once

#include "fetch/transfer.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace starling::fetch {

class driver {
  public:
    static result<std::shared_ptr<driver>> create();

    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
    ~driver();

    transfer_id next_id() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
    void start(std::unique_ptr<transfer> what);
    void resume(transfer_id id);
    void cancel(transfer_id id);
    /// Ends the thread and waits for it; every open transfer fails with errc::cancelled.
    void stop();

  private:
    explicit driver(CURLM* multi) : multi_(multi) {}

    struct command {
        enum class kind { start, resume, cancel };
        kind what = kind::start;
        transfer_id id = 0;
        std::unique_ptr<transfer> started;
    };

    void push(command what);
    void run_transfer_loop();
    void take_commands();
    void take_results();
    void check_idle();
    int poll_timeout_ms() const;
    void drop(transfer_id id);

    CURLM* const multi_;
    std::thread thread_;
    std::atomic<transfer_id> next_id_{1};

    std::mutex mutex_;  // protects the next two
    std::vector<command> commands_;
    bool stopping_ = false;

    std::map<transfer_id, std::unique_ptr<transfer>> active_;  // driver thread
};

}  // namespace starling::fetch

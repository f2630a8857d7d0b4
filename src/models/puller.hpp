// One download from the hub, from the first question to the finished file. Lives as long as one `pull` and is used by
// one coroutine, on a disk thread.
#pragma once

#include "models/files.hpp"
#include "models/models.hpp"
#include "models/rate_meter.hpp"
#include "models/sha256.hpp"
#include "models/sidecar.hpp"

namespace starling::models {

class puller {
  public:
    /// `target` is where the finished file is to be; its folder exists.
    puller(const store_options& options, fetch::client& client, reference which, std::filesystem::path target,
           on_pull_progress report);

    awaitable<result<local_model>> run();

  private:
    using clock = std::chrono::steady_clock;

    enum class attempt_end { finished, again, failed };
    struct attempt {
        attempt_end end = attempt_end::again;
        error why;                     // unless finished
        std::chrono::seconds wait{0};  // what the server asked for
    };

    awaitable<result<void>> wait_for_lock();
    awaitable<result<void>> load();
    awaitable<result<void>> learn();
    awaitable<attempt> ask(std::string url);
    awaitable<result<void>> continue_earlier();
    result<void> check_disk() const;
    awaitable<result<void>> download();
    awaitable<attempt> fetch_rest();
    attempt begin_body(const fetch::response_head& head);
    result<void> take(std::string_view bytes);
    result<void> inspect_header();
    result<void> restart();
    result<local_model> finish();

    awaitable<void> pause(std::chrono::seconds asked, int in_a_row);
    fetch::request request_for(std::string method, std::string url) const;
    attempt explain(const error& network) const;
    attempt refuse(error why) const { return {attempt_end::failed, std::move(why), {}}; }
    attempt status_end(const fetch::response_head& head) const;
    result<void> remember();
    void forget_part();
    void report(pull_phase phase, bool now);
    bool sends_token() const;
    std::filesystem::path with_suffix(const char* suffix) const;

    const store_options& options_;
    fetch::client& client_;
    const reference which_;
    const std::filesystem::path target_;
    const on_pull_progress report_;

    std::optional<part_file> part_;
    sidecar about_;
    sha256 hash_;
    bool header_checked_ = false;
    std::uint64_t next_inspection_;
    std::optional<error> refused_;  // by what the file is, not by how it comes
    int restarts_ = 0;

    rate_meter rate_;
    clock::time_point last_report_{};
};

/// What a finished download is, from its file and sidecar; nothing when there is no such file.
std::optional<local_model> stored_model(const std::filesystem::path& path, const reference& which);

}  // namespace starling::models

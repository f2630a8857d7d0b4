#include "models/puller.hpp"

#include "base/size_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>

namespace starling::models {

namespace {

using namespace std::chrono_literals;

constexpr auto lock_poll = 200ms;
constexpr auto report_interval = 100ms;
constexpr std::chrono::milliseconds longest_retry_delay = 30s;
constexpr int first_contact_attempts = 3;  // a hub that has not answered once may not exist: that is said soon
constexpr std::chrono::seconds longest_asked_wait = 60s;
// A repository may have been renamed, and renamed again.
constexpr int max_hub_redirects = 5;
// A server that cannot resume makes every cut begin anew; after so many the connection is not good enough.
constexpr int max_restarts = 3;
// Headers of small models end here; larger ones are looked at again each time as much has come once more.
constexpr std::uint64_t first_inspection_bytes = 256 * 1024;
constexpr std::size_t hash_step_bytes = 4 << 20;
// Left free on the disk for everything else.
constexpr std::uint64_t disk_reserve_bytes = 100'000'000;

}  // namespace

std::optional<local_model> stored_model(const std::filesystem::path& path, const reference& which) {
    std::error_code failed;
    const std::uint64_t size = std::filesystem::file_size(path, failed);
    if (failed || !std::filesystem::is_regular_file(path, failed)) {
        return std::nullopt;
    }
    local_model out{which.id(), path, size, std::nullopt, which.text()};
    std::filesystem::path beside = path;
    beside += ".json";
    const auto json = read_small_file(beside, max_sidecar_bytes);
    const auto about = json && *json ? parse_sidecar(**json) : std::nullopt;
    if (about && about->published.size_bytes == size) {
        out.sha256 = about->published.sha256;
    }
    return out;
}

puller::puller(const store_options& options, fetch::client& client, reference which, std::filesystem::path target,
               on_pull_progress report)
    : options_(options),
      client_(client),
      which_(std::move(which)),
      target_(std::move(target)),
      report_(std::move(report)),
      next_inspection_(first_inspection_bytes) {
    about_.source = which_.text();
}

std::filesystem::path puller::with_suffix(const char* suffix) const {
    std::filesystem::path out = target_;
    out += suffix;
    return out;
}

awaitable<result<local_model>> puller::run() {
    if (auto there = stored_model(target_, which_)) {
        co_return std::move(*there);
    }
    auto locked = co_await wait_for_lock();
    if (!locked) {
        co_return locked.error();
    }
    if (auto there = stored_model(target_, which_)) {  // somebody else fetched it meanwhile
        forget_part();
        co_return std::move(*there);
    }
    auto loaded = co_await load();
    if (!loaded) {
        if (refused_ || part_->size() == 0) {
            forget_part();  // nothing that another attempt could use
        }
        co_return loaded.error();
    }
    co_return finish();
}

awaitable<result<void>> puller::load() {
    auto learnt = co_await learn();
    if (!learnt) {
        co_return learnt;
    }
    auto kept = co_await continue_earlier();
    if (!kept) {
        co_return kept;
    }
    if (auto room = check_disk(); !room) {
        co_return room;
    }
    if (auto saved = remember(); !saved) {
        co_return saved;
    }
    co_return co_await download();
}

awaitable<result<void>> puller::wait_for_lock() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        auto locked = part_file::lock(with_suffix(".part"));
        if (!locked) {
            co_return locked.error();
        }
        if (*locked) {
            part_.emplace(std::move(**locked));
            co_return result<void>();
        }
        report(pull_phase::waiting, false);
        timer.expires_after(lock_poll);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

bool puller::sends_token() const {
    return !options_.hub_token.empty() && may_carry_token(options_.hub_url);
}

fetch::request puller::request_for(std::string method, std::string url) const {
    fetch::request out;
    out.method = std::move(method);
    out.url = std::move(url);
    out.idle_timeout = options_.idle_timeout;
    if (sends_token()) {
        out.headers.emplace_back("Authorization", "Bearer " + options_.hub_token);
    }
    return out;
}

puller::attempt puller::explain(const error& network) const {
    if (network == fetch::errc::cancelled) {
        return refuse(fail(errc::cancelled, "fetching " + which_.text() + " was cancelled; what has come is kept"));
    }
    error why = fail(errc::unreachable, "cannot fetch " + which_.text() + ": " + network.message);
    const bool hopeless = network == fetch::errc::bad_url || network == fetch::errc::tls;
    return {hopeless ? attempt_end::failed : attempt_end::again, std::move(why), {}};
}

puller::attempt puller::status_end(const fetch::response_head& head) const {
    attempt out{is_temporary(head.status) ? attempt_end::again : attempt_end::failed,
                explain_status(head.status, which_, sends_token()),
                {}};
    long seconds = 0;
    const std::string_view asked = head.header("retry-after");
    std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
    out.wait = std::clamp(std::chrono::seconds(seconds), 0s, longest_asked_wait);
    return out;
}

awaitable<void> puller::pause(std::chrono::seconds asked, int in_a_row) {
    auto delay = options_.first_retry_delay * (1 << std::min(in_a_row, 10));
    delay = std::max<std::chrono::milliseconds>(std::min(delay, longest_retry_delay), asked);
    report(pull_phase::retrying, true);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, delay);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

// What the hub says about the file.
awaitable<result<void>> puller::learn() {
    for (int in_a_row = 0;; ++in_a_row) {
        const attempt last = co_await ask(file_url(options_.hub_url, which_));
        if (last.end == attempt_end::finished) {
            co_return result<void>();
        }
        const int attempts = last.why == errc::unreachable ? std::min(options_.max_attempts, first_contact_attempts)
                                                           : options_.max_attempts;
        if (last.end == attempt_end::failed || in_a_row + 1 >= attempts) {
            co_return last.why;
        }
        co_await pause(last.wait, in_a_row);
    }
}

awaitable<puller::attempt> puller::ask(std::string url) {
    for (int redirects = 0; redirects <= max_hub_redirects; ++redirects) {
        fetch::request what = request_for("HEAD", url);
        what.follow_redirects = false;
        auto opened = co_await client_.open(std::move(what));
        if (!opened) {
            co_return explain(opened.error());
        }
        const fetch::response_head& head = (*opened)->head();
        if (head.status >= 400) {
            co_return status_end(head);
        }
        url = redirect_within(options_.hub_url, head);
        if (!url.empty()) {
            continue;
        }
        auto published = read_published(head, which_);
        if (!published) {
            co_return refuse(published.error());
        }
        about_.published = std::move(*published);
        co_return attempt{attempt_end::finished, {}, {}};
    }
    co_return refuse(fail(errc::hub_failed, "the hub redirects " + which_.text() + " in a circle"));
}

// Keeps what an earlier attempt left when it is of the same version of the file.
awaitable<result<void>> puller::continue_earlier() {
    const auto json = read_small_file(with_suffix(".part.json"), max_sidecar_bytes);
    const auto earlier = json && *json ? parse_sidecar(**json) : std::nullopt;
    const published_file& now = about_.published;
    const bool same = earlier && !now.etag.empty() && earlier->published.etag == now.etag &&
                      earlier->published.size_bytes == now.size_bytes;
    if (!same || part_->size() > now.size_bytes) {
        co_return part_->size() == 0 ? result<void>() : part_->truncate(0);
    }
    about_.storage_etag = earlier->storage_etag;
    for (std::uint64_t offset = 0; now.sha256 && offset < part_->size();) {
        auto bytes = part_->read(offset, hash_step_bytes);
        if (!bytes) {
            co_return bytes.error();
        }
        if (bytes->empty()) {
            co_return fail(errc::io_failed,
                           with_suffix(".part").string() + " became shorter while it was read; try again");
        }
        hash_.update(*bytes);
        offset += bytes->size();
        if (report_ && clock::now() - last_report_ >= report_interval) {
            last_report_ = clock::now();
            report_({pull_phase::checking, offset, now.size_bytes, 0.0});
        }
        // Lets a cancellation through.
        co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
    }
    co_return inspect_header();
}

result<void> puller::check_disk() const {
    const std::uint64_t missing = about_.published.size_bytes - part_->size();
    const std::filesystem::path folder = target_.parent_path();
    const std::uint64_t free = options_.free_disk_bytes ? options_.free_disk_bytes(folder) : free_disk_bytes(folder);
    if (missing + disk_reserve_bytes <= free) {
        return {};
    }
    return fail(errc::no_space, which_.text() + " needs " + size_text(missing) + " on the disk of " + folder.string() +
                                    " and " + size_text(disk_reserve_bytes) + " must stay free, but only " +
                                    size_text(free) + " are; make room, or use another --data-dir");
}

result<void> puller::remember() {
    return write_durably(with_suffix(".part.json"), to_json(about_));
}

awaitable<result<void>> puller::download() {
    int in_a_row = 0;
    while (part_->size() < about_.published.size_bytes) {
        const std::uint64_t before = part_->size();
        const attempt last = co_await fetch_rest();
        if (last.end == attempt_end::failed) {
            co_return last.why;
        }
        if (last.end == attempt_end::finished) {
            break;
        }
        in_a_row = part_->size() > before ? 0 : in_a_row + 1;
        if (in_a_row >= options_.max_attempts) {
            error why = last.why;
            why.message += "; tried " + std::to_string(in_a_row) + " times; what has come is kept, so try again later";
            co_return why;
        }
        co_await pause(last.wait, in_a_row);
    }
    report(pull_phase::downloading, true);
    co_return result<void>();
}

awaitable<puller::attempt> puller::fetch_rest() {
    fetch::request what = request_for("GET", file_url(options_.hub_url, which_));
    if (part_->size() > 0) {
        what.headers.emplace_back("Range", "bytes=" + std::to_string(part_->size()) + "-");
    }
    auto opened = co_await client_.open(std::move(what));
    if (!opened) {
        co_return explain(opened.error());
    }
    attempt begun = begin_body((*opened)->head());
    if (begun.end != attempt_end::finished) {
        co_return begun;
    }
    for (;;) {
        auto bytes = co_await (*opened)->read();
        if (!bytes) {
            co_return explain(bytes.error());
        }
        if (bytes->empty()) {
            break;
        }
        if (auto taken = take(*bytes); !taken) {
            co_return refuse(taken.error());
        }
    }
    if (part_->size() < about_.published.size_bytes) {
        co_return attempt{
            attempt_end::again, fail(errc::unreachable, "the connection for " + which_.text() + " ended early"), {}};
    }
    co_return attempt{attempt_end::finished, {}, {}};
}

// Whether the body that follows is the rest of the file; `finished` means that it is.
puller::attempt puller::begin_body(const fetch::response_head& head) {
    const std::uint64_t whole = about_.published.size_bytes;
    const auto begin_anew = [&]() -> attempt {
        if (auto done = restart(); !done) {
            return refuse(done.error());
        }
        return {attempt_end::again,
                fail(errc::unreachable, "the server of " + which_.text() + " cannot go on where it stopped"),
                {}};
    };
    const auto wrong_size = [&](std::uint64_t told) {
        refused_ =
            fail(errc::wrong_size, which_.text() + " was published with " + std::to_string(whole) + " bytes, and " +
                                       std::to_string(told) + " are offered; it was removed, try again later");
        return refuse(*refused_);
    };
    const std::string etag(head.header("etag"));
    if (head.status == 206) {
        const auto range = parse_content_range(head.header("content-range"));
        const bool other_version =
            !about_.published.sha256 && !about_.storage_etag.empty() && etag != about_.storage_etag;
        if (!range || range->first != part_->size() || other_version) {
            return begin_anew();
        }
        return range->total && *range->total != whole ? wrong_size(*range->total)
                                                      : attempt{attempt_end::finished, {}, {}};
    }
    if (head.status == 416) {
        return begin_anew();
    }
    if (head.status != 200) {
        return status_end(head);
    }
    std::uint64_t length = whole;
    const std::string_view told = head.header("content-length");
    std::from_chars(told.data(), told.data() + told.size(), length);
    if (length != whole) {
        return wrong_size(length);
    }
    if (part_->size() > 0) {
        if (auto done = restart(); !done) {
            return refuse(done.error());
        }
    }
    if (etag != about_.storage_etag) {
        about_.storage_etag = etag;
        if (auto saved = remember(); !saved) {
            return refuse(saved.error());
        }
    }
    return {attempt_end::finished, {}, {}};
}

result<void> puller::restart() {
    if (++restarts_ > max_restarts) {
        return fail(errc::unreachable, "the server of " + which_.text() +
                                           " cannot resume, and the connection was cut " +
                                           std::to_string(max_restarts) + " times; try again with a better connection");
    }
    hash_ = sha256();
    about_.storage_etag.clear();
    return part_->truncate(0);
}

result<void> puller::take(std::string_view bytes) {
    if (part_->size() + bytes.size() > about_.published.size_bytes) {
        refused_ = fail(errc::wrong_size, which_.text() + " was published with " +
                                              std::to_string(about_.published.size_bytes) +
                                              " bytes, and more came; it was removed, try again later");
        return *refused_;
    }
    if (auto written = part_->append(bytes); !written) {
        return written;
    }
    if (about_.published.sha256) {
        hash_.update(bytes);
    }
    rate_.add(clock::now(), bytes.size());
    report(pull_phase::downloading, false);
    return inspect_header();
}

// As soon as the whole header is here: is it a model that can be run, and does it fit?
result<void> puller::inspect_header() {
    const std::uint64_t whole = about_.published.size_bytes;
    if (header_checked_ || part_->size() == 0 || (part_->size() < next_inspection_ && part_->size() < whole)) {
        return {};
    }
    next_inspection_ = part_->size() * 2;
    const auto prefix = part_->read(0, static_cast<std::size_t>(std::min(part_->size(), gguf::max_header_bytes)));
    if (!prefix) {
        return prefix.error();
    }
    const auto header = gguf::parse_header(std::as_bytes(std::span(*prefix)), whole);
    if (!header && header.error() == gguf::errc::incomplete && part_->size() < whole) {
        return {};
    }
    const auto usable = header ? gguf::check_model(*header) : result<void>(header.error());
    if (!usable) {
        refused_ = fail(errc::bad_model, which_.text() + " cannot be run: " + usable.error().message);
        return *refused_;
    }
    header_checked_ = true;
    if (options_.memory_bytes > 0) {
        if (auto fits =
                check_fit(estimate(*header, options_.context, options_.slots), options_.memory_bytes, which_.text());
            !fits) {
            refused_ = fits.error();
            return fits;
        }
    }
    return {};
}

result<local_model> puller::finish() {
    if (auto checked = inspect_header(); !checked) {
        forget_part();
        return checked.error();
    }
    if (about_.published.sha256) {
        const std::string got = hash_.take_hex();
        if (got != *about_.published.sha256) {
            forget_part();
            return fail(errc::wrong_hash, which_.text() + " was published with SHA-256 " + *about_.published.sha256 +
                                              ", but what came has " + got + "; it was removed, fetch it again");
        }
    }
    if (auto saved = write_durably(with_suffix(".json"), to_json(about_)); !saved) {
        return saved.error();
    }
    if (auto done = part_->commit(target_); !done) {
        return done.error();
    }
    std::error_code ignored;
    std::filesystem::remove(with_suffix(".part.json"), ignored);
    return local_model{which_.id(), target_, about_.published.size_bytes, about_.published.sha256, which_.text()};
}

void puller::forget_part() {
    std::error_code ignored;
    std::filesystem::remove(with_suffix(".part.json"), ignored);
    part_->discard();
}

void puller::report(pull_phase phase, bool now) {
    const auto time = clock::now();
    if (!report_ || (!now && time - last_report_ < report_interval)) {
        return;
    }
    last_report_ = time;
    std::error_code ignored;
    std::uint64_t bytes = part_ ? part_->size() : 0;
    if (!part_) {
        const auto others = std::filesystem::file_size(with_suffix(".part"), ignored);
        bytes = ignored ? 0 : others;
    }
    report_({phase, bytes, about_.published.size_bytes, rate_.bytes_per_s(time)});
}

}  // namespace starling::models

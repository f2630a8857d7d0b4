#include "fetch/transfer.hpp"

#include <algorithm>

namespace starling::fetch {

namespace {

constexpr const char* user_agent = "starling/" STARLING_VERSION;

char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view host_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) {
        return {};
    }
    std::string_view rest = url.substr(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        rest.remove_prefix(at + 1);
    }
    if (rest.starts_with('[')) {
        return rest.substr(0, rest.find(']') + 1);
    }
    return rest.substr(0, rest.find(':'));
}

// A proxy cannot reach the loopback address of this machine, only its own.
bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

errc classify(CURLcode code) {
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_TOO_MANY_REDIRECTS: return errc::bad_url;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY: return errc::cannot_resolve;
        case CURLE_COULDNT_CONNECT: return errc::cannot_connect;
        case CURLE_OPERATION_TIMEDOUT: return errc::timed_out;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_USE_SSL_FAILED: return errc::tls;
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_WEIRD_SERVER_REPLY: return errc::cut;
        default: return errc::internal;
    }
}

}  // namespace

std::string shown_url(std::string_view url) {
    std::string_view shown = url.substr(0, url.find_first_of("?#"));
    const auto scheme = shown.find("://");
    if (scheme == std::string_view::npos) {
        return std::string(shown);
    }
    const auto authority_end = std::min(shown.find('/', scheme + 3), shown.size());
    const auto at = shown.rfind('@', authority_end);
    if (at == std::string_view::npos || at < scheme) {
        return std::string(shown);
    }
    return std::string(shown.substr(0, scheme + 3)) + std::string(shown.substr(at + 1));
}

std::string_view response_head::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

transfer::transfer(transfer_id id, request what, std::shared_ptr<exchange> out)
    : id_(id), what_(std::move(what)), out_(std::move(out)), last_activity_(std::chrono::steady_clock::now()) {}

transfer::~transfer() {
    curl_easy_cleanup(handle_);
    curl_slist_free_all(headers_);
}

result<std::unique_ptr<transfer>> transfer::create(transfer_id id, request what, std::shared_ptr<exchange> out) {
    const bool known = what.url.starts_with("http://") || what.url.starts_with("https://");
    if (!known || has_control_character(what.url) || host_of(what.url).empty()) {
        return fail(errc::bad_url,
                    "'" + shown_url(what.url) + "' is not an http or https URL; give one like https://host/path");
    }
    for (const auto& [name, value] : what.headers) {
        if (name.empty() || has_control_character(name) || has_control_character(value) ||
            name.find(':') != std::string::npos) {
            return fail(errc::bad_url,
                        "a request header for " + shown_url(what.url) + " has a character that HTTP does not allow");
        }
    }
    std::unique_ptr<transfer> made(new transfer(id, std::move(what), std::move(out)));
    made->handle_ = curl_easy_init();
    if (made->handle_ == nullptr || !made->configure()) {
        return fail(errc::internal,
                    "libcurl refused the options of a transfer; is it older than 7.85 or built without HTTP?");
    }
    return made;
}

bool transfer::configure() {
    bool good = true;
    const auto set = [&](CURLoption option, auto value) {
        good = good && curl_easy_setopt(handle_, option, value) == CURLE_OK;
    };
    const bool https = what_.url.starts_with("https://");
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, user_agent);
    set(CURLOPT_URL, what_.url.c_str());
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, what_.follow_redirects ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(max_redirects));
    set(CURLOPT_UNRESTRICTED_AUTH, 0L);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(what_.connect_timeout.count()));
    if (is_loopback(host_of(what_.url))) {
        set(CURLOPT_PROXY, "");
    }
    set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_PREREQFUNCTION, &transfer::on_connected);
    set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &transfer::on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));

    const auto add = [&](const std::string& line) {
        curl_slist* longer = curl_slist_append(headers_, line.c_str());
        good = good && longer != nullptr;
        headers_ = longer != nullptr ? longer : headers_;
    };
    for (const auto& [name, value] : what_.headers) {
        // libcurl writes a header without a value only when it ends in a semicolon.
        std::string line = name;
        line += value.empty() ? ";" : ": ";
        line += value;
        add(line);
    }
    // Without this a body over 1 MB waits a second for a "100 Continue" that many servers never send.
    add("Expect:");
    set(CURLOPT_HTTPHEADER, headers_);
    return good && configure_method();
}

bool transfer::configure_method() {
    bool good = true;
    const auto set = [&](CURLoption option, auto value) {
        good = good && curl_easy_setopt(handle_, option, value) == CURLE_OK;
    };
    if (what_.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
        return good;
    }
    if (what_.method == "POST" || !what_.body.empty()) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(what_.body.size()));
        set(CURLOPT_POSTFIELDS, what_.body.data());
    }
    if (what_.method != "POST" && what_.method != "GET") {
        set(CURLOPT_CUSTOMREQUEST, what_.method.c_str());
    }
    return good;
}

std::size_t transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
    auto* me = static_cast<transfer*>(self);
    me->last_activity_ = std::chrono::steady_clock::now();
    return me->take_header_line({data, size * count}) ? size * count : 0;
}

bool transfer::take_header_line(std::string_view line) {
    head_bytes_ += line.size();
    if (head_bytes_ > max_head_bytes) {
        head_too_large_ = true;
        return false;
    }
    if (line.starts_with("HTTP/")) {
        head_ = {};
        return true;
    }
    const std::string_view text = trimmed(line);
    if (text.empty()) {
        end_of_head();
        return true;
    }
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        std::string name(text.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
        head_.headers.emplace_back(std::move(name), trimmed(text.substr(colon + 1)));
    }
    return true;
}

void transfer::end_of_head() {
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    const bool interim = status < 200;
    const bool goes_on = what_.follow_redirects && is_redirect(head_.status) && !head_.header("location").empty();
    if (head_sent_ || interim || goes_on) {
        return;  // trailers after a chunked body also end with an empty line
    }
    const char* url = nullptr;
    curl_easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
    head_.final_url = url != nullptr ? url : what_.url;
    head_sent_ = true;
    out_->set_head(std::move(head_));
    head_ = {};
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
    auto* me = static_cast<transfer*>(self);
    me->last_activity_ = std::chrono::steady_clock::now();
    if (!me->head_sent_) {
        return size * count;  // the body of a redirect
    }
    if (me->out_->append({data, size * count})) {
        return size * count;
    }
    me->paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
}

int transfer::on_connected(void* self, char*, char*, int, int) noexcept {
    auto* me = static_cast<transfer*>(self);
    me->connected_ = true;
    me->last_activity_ = std::chrono::steady_clock::now();
    return CURL_PREREQFUNC_OK;
}

int transfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) noexcept {
    auto* me = static_cast<transfer*>(self);
    if (uploaded != me->uploaded_) {
        me->uploaded_ = uploaded;
        me->last_activity_ = std::chrono::steady_clock::now();
    }
    return 0;
}

steady_time transfer::idle_deadline() const {
    if (paused_ || !connected_ || what_.idle_timeout.count() <= 0) {
        return steady_time::max();
    }
    return last_activity_ + what_.idle_timeout;
}

void transfer::resume() {
    paused_ = false;
    last_activity_ = std::chrono::steady_clock::now();
    // May call on_body at once with what libcurl kept, and so pause again.
    curl_easy_pause(handle_, CURLPAUSE_CONT);
}

void transfer::finish(CURLcode code) {
    if (code == CURLE_OK && head_sent_) {
        out_->finish(std::nullopt);
        return;
    }
    out_->finish(explain(code));
}

void transfer::time_out() {
    out_->finish(fail(errc::timed_out, shown_url(what_.url) + " sent nothing for " +
                                           std::to_string(what_.idle_timeout.count()) + " ms"));
}

void transfer::cancel() {
    out_->finish(fail(errc::cancelled, "the transfer from " + shown_url(what_.url) + " was cancelled"));
}

error transfer::explain(CURLcode code) const {
    if (head_too_large_) {
        return fail(errc::too_large,
                    shown_url(what_.url) + " sent more than " + std::to_string(max_head_bytes) + " bytes of headers");
    }
    if (code == CURLE_OK) {
        return fail(errc::cut, shown_url(what_.url) + " closed the connection without an answer");
    }
    const std::string detail = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
    const errc why = classify(code);
    if (why == errc::cut && head_sent_) {
        return fail(why,
                    "the connection to " + shown_url(what_.url) + " was cut in the middle of the answer: " + detail);
    }
    return fail(why, "no answer from " + shown_url(what_.url) + ": " + detail);
}

}  // namespace starling::fetch

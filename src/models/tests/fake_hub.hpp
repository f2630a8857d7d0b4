// Two servers that behave like the hub and its storage, with faults to be switched on.
#pragma once

#include "fetch/tests/http_test_server.hpp"
#include "models/sha256.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace starling::test {

struct hub_behaviour {
    std::string content;
    std::string published_sha256;  // empty: that of the content
    bool publish_sha256 = true;    // false: only a git hash, as for small files
    std::string wanted_token;      // 401 without it
    int hub_status = 0;            // answer this instead
    int storage_status = 0;        // answer this instead …
    int storage_failures = 0;      // … so many times
    bool ranges = true;
    std::uint64_t published_size = 0;  // 0: that of the content
    std::uint64_t cut_after = 0;       // close each storage answer after so many bytes of body; 0: never
    int cuts = 0;                      // so many times
    bool stall = false;                // instead of closing, send nothing more
    bool extra_bytes = false;          // more than the length that was told, chunked
    bool renamed = false;              // the repository moved within the hub
    int delay_ms = 0;                  // before each 64 KiB of body
};

class fake_hub {
  public:
    explicit fake_hub(hub_behaviour how)
        : how_(std::move(how)),
          digest_(models::sha256_hex(std::as_bytes(std::span(how_.content)))),
          storage_([this](http_connection& to, const http_request& from) { serve_file(to, from); }),
          hub_([this](http_connection& to, const http_request& from) { serve_redirect(to, from); }) {}

    std::string url() const { return hub_.url(); }
    std::vector<http_request> hub_requests() const { return hub_.requests(); }
    std::vector<http_request> storage_requests() const { return storage_.requests(); }

    template <class F>
    void change(F change) {
        const std::scoped_lock lock(mutex_);
        change(how_);
    }

  private:
    hub_behaviour now() {
        const std::scoped_lock lock(mutex_);
        return how_;
    }

    void serve_redirect(http_connection& to, const http_request& from) {
        const hub_behaviour how = now();
        if (!how.wanted_token.empty() && from.header("authorization") != "Bearer " + how.wanted_token) {
            to.answer(401, from.method == "HEAD" ? "" : "Invalid credentials", "X-Error-Code: GatedRepo\r\n");
            return;
        }
        if (how.hub_status != 0) {
            to.answer(how.hub_status, "", "Retry-After: 0\r\n");
            return;
        }
        if (how.renamed && from.path.starts_with("/owner/")) {
            to.answer(307, "", "Location: /moved" + from.path.substr(6) + "\r\n");
            return;
        }
        const std::string digest = how.published_sha256.empty() ? digest_ : how.published_sha256;
        const std::string size = std::to_string(how.published_size == 0 ? how.content.size() : how.published_size);
        const std::string etag = how.publish_sha256 ? digest : "0123456789abcdef0123456789abcdef01234567";
        to.answer(302, from.method == "HEAD" ? "" : "Found. Redirecting",
                  "X-Linked-Size: " + size + "\r\nX-Linked-Etag: \"" + etag + "\"\r\nETag: \"" + etag +
                      "\"\r\nX-Repo-Commit: abc\r\nLocation: " + storage_.url("/blob?signature=secret") + "\r\n");
    }

    void serve_file(http_connection& to, const http_request& from) {
        const hub_behaviour how = now();
        if (how.storage_status != 0 && how.storage_failures > 0) {
            change([](hub_behaviour& h) { --h.storage_failures; });
            to.answer(how.storage_status, "busy");
            return;
        }
        std::uint64_t first = 0;
        const std::string range = from.header("range");
        if (how.ranges && range.starts_with("bytes=")) {
            first = std::strtoull(range.c_str() + 6, nullptr, 10);
        }
        const std::string_view body =
            std::string_view(how.content).substr(std::min<std::uint64_t>(first, how.content.size()));
        const std::string etag = "ETag: \"storage-" + std::to_string(how.content.size()) + "\"\r\n";
        if (how.extra_bytes) {
            to.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + etag + "\r\n");
            send_chunk(to, body);
            send_chunk(to, "more than was promised");
            to.write("0\r\n\r\n");
            return;
        }
        const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
        const bool part = how.ranges && !range.empty();
        to.write(part ? "HTTP/1.1 206 Partial Content\r\n" + length + etag + "Content-Range: bytes " +
                            std::to_string(first) + "-" + std::to_string(how.content.size() - 1) + "/" +
                            std::to_string(how.content.size()) + "\r\n\r\n"
                      : "HTTP/1.1 200 OK\r\n" + length + etag + "\r\n");
        const bool cut = how.cut_after > 0 && how.cuts > 0 && how.cut_after < body.size();
        if (cut) {
            change([](hub_behaviour& h) { --h.cuts; });
        }
        send_body(to, cut ? body.substr(0, how.cut_after) : body, how.delay_ms);
        if (cut && how.stall) {
            to.wait_for_close();
        }
        if (cut) {
            to.close_after_this();
        }
    }

    static void send_chunk(http_connection& to, std::string_view bytes) {
        char size[32];
        std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
        to.write(size);
        to.write(bytes);
        to.write("\r\n");
    }

    static void send_body(http_connection& to, std::string_view body, int delay_ms) {
        while (!body.empty()) {
            if (delay_ms > 0) {
                std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
            }
            const std::size_t count = std::min<std::size_t>(body.size(), 65536);
            if (!to.write(body.substr(0, count))) {
                return;
            }
            body.remove_prefix(count);
        }
    }

    std::mutex mutex_;
    hub_behaviour how_;
    const std::string digest_;  // of the content
    http_test_server storage_;
    http_test_server hub_;
};

}  // namespace starling::test

// One libcurl easy handle with everything that it points to. Lives on the driver thread, except for its creation.
#pragma once

#include "fetch/exchange.hpp"

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <string_view>

namespace starling::fetch {

using transfer_id = std::uint64_t;
using steady_time = std::chrono::steady_clock::time_point;

class transfer {
  public:
    static result<std::unique_ptr<transfer>> create(transfer_id id, request what, std::shared_ptr<exchange> out);

    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;
    ~transfer();

    transfer_id id() const { return id_; }
    CURL* handle() const { return handle_; }

    /// When to give up if nothing moves; steady_time::max() while paused, connecting or without a limit.
    steady_time idle_deadline() const;

    void resume();
    /// libcurl's verdict, told to the reader.
    void finish(CURLcode code);
    void time_out();
    void cancel();

  private:
    transfer(transfer_id id, request what, std::shared_ptr<exchange> out);
    bool configure();
    bool configure_method();

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static int on_connected(void* self, char*, char*, int, int) noexcept;
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) noexcept;

    bool take_header_line(std::string_view line);
    void end_of_head();
    error explain(CURLcode code) const;

    const transfer_id id_;
    const request what_;
    const std::shared_ptr<exchange> out_;
    CURL* handle_ = nullptr;
    curl_slist* headers_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> error_text_{};

    response_head head_;
    std::size_t head_bytes_ = 0;
    bool head_sent_ = false;
    bool head_too_large_ = false;
    bool connected_ = false;
    bool paused_ = false;
    curl_off_t uploaded_ = 0;
    steady_time last_activity_;
};

/// The URL as it may be shown: without user, password, query and fragment, which can carry secrets.
std::string shown_url(std::string_view url);

}  // namespace starling::fetch

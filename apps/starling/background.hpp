// An executor with a thread of its own, and an HTTP client: for verbs that ask a server or the hub something.
#pragma once

#include "base/result.hpp"
#include "fetch/fetch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <thread>

namespace starling::cli {

class background {
  public:
    /// Errors: fetch::errc.
    static result<std::unique_ptr<background>> create();
    background(const background&) = delete;
    background& operator=(const background&) = delete;
    /// Everything that was started on the executor must have ended.
    ~background();

    boost::asio::any_io_executor executor() { return io_.get_executor(); }
    fetch::client& http() { return *http_; }

  private:
    explicit background(std::unique_ptr<fetch::client> http);

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<fetch::client> http_;
    std::thread thread_;
};

}  // namespace starling::cli

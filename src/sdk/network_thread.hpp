// An executor with a thread of its own, and an HTTP client: where everything of a `client` that waits happens.
// Owner: connection.
#pragma once

#include "base/result.hpp"
#include "fetch/fetch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <thread>

namespace starling::sdk {

class network_thread {
  public:
    /// Errors: fetch::errc.
    static starling::result<std::unique_ptr<network_thread>> create();
    network_thread(const network_thread&) = delete;
    network_thread& operator=(const network_thread&) = delete;
    /// Any thread but this one. Everything that was started on the executor must have ended.
    ~network_thread();

    boost::asio::any_io_executor executor() { return io_.get_executor(); }
    fetch::client& http() { return *http_; }

  private:
    explicit network_thread(std::unique_ptr<fetch::client> http);

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<fetch::client> http_;
    std::thread thread_;
};

}  // namespace starling::sdk

// What is behind a chat_stream: an answer that comes in on the network thread, and is read on the caller's.
#pragma once

#include "sdk/answer_builder.hpp"
#include "sdk/caller.hpp"
#include "sdk/connection.hpp"
#include "upstream/answer_stream.hpp"

#include <starling/client.hpp>

#include <memory>
#include <optional>
#include <stop_token>

namespace starling::sdk {

class chat_stream::impl {
  public:
    impl(std::shared_ptr<connection> to, std::stop_token stop);
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl();

    /// Once, and first. What it gives is why there is nothing to read.
    std::optional<error> open(chat_request request);

    std::optional<delta> next();
    outcome<answer> result();
    /// The reader wants no more of it.
    void cancel();

  private:
    void fail_with(const starling::error& why);
    void close();

    std::shared_ptr<connection> to_;  // first: the rest ends on its network thread
    caller caller_;
    steady_time deadline_ = steady_time::max();
    std::unique_ptr<upstream::answer_stream> stream_;  // null once it is over
    answer_builder built_;
    std::string served_by_;
    std::string model_;
    std::optional<error> failed_;
};

}  // namespace starling::sdk

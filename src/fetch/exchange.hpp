// Where the driver thread and one reading coroutine meet: the head, a bounded buffer of body bytes, and the end.
//
// Owner: shared by the transfer (driver thread) and the response (reader). Everything is under one mutex that is never
// held across an await. The reader's executor is touched only while the reader is attached.
#pragma once

#include "aio/channel.hpp"
#include "fetch/fetch.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace starling::fetch {

class exchange {
  public:
    explicit exchange(boost::asio::any_io_executor reader);

    // Driver thread.
    void set_head(response_head head);
    /// False when the buffer is full: nothing was taken, and the next `take` will ask for the rest.
    bool append(std::string_view bytes);
    void finish(std::optional<error> why);

    // Reader.
    awaitable<result<response_head>> take_head();

    struct piece {
        std::string bytes;    // empty: the end
        bool resume = false;  // the driver paused and is to go on
    };
    awaitable<result<piece>> take();

    /// The reader is gone: its executor is not touched any more.
    void detach();

  private:
    void wake();  // with the lock held

    std::mutex mutex_;
    // Capacity one: a latch that says "look again".
    std::unique_ptr<aio::channel<bool>> signal_;
    std::optional<response_head> head_;
    std::string buffer_;
    bool paused_ = false;
    bool finished_ = false;
    std::optional<error> failure_;
};

}  // namespace starling::fetch

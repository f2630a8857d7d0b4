#include "aio/channel.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace starling::aio {
namespace {

asio::awaitable<void> read_all(std::shared_ptr<channel<int>> from, std::vector<int>& into) {
    reader<int> values(from);
    for (;;) {
        const auto value = co_await values.receive();
        if (!value || *value < 0) {
            co_return;
        }
        into.push_back(*value);
    }
}

TEST(Channel, CarriesValuesInOrderFromAnotherThread) {
    asio::io_context io;
    auto numbers = std::make_shared<channel<int>>(io.get_executor(), 4);
    std::vector<int> got;
    asio::co_spawn(io, read_all(numbers, got), asio::detached);
    std::thread sender([numbers] {
        for (int i = 0; i <= 1000; ++i) {
            while (!numbers->try_send(i < 1000 ? i : -1)) {
                std::this_thread::yield();
            }
        }
    });
    io.run();
    sender.join();
    ASSERT_EQ(got.size(), 1000U);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
}

TEST(Channel, KeepsAValueThatHasNoRoom) {
    asio::io_context io;
    channel<std::string> words(io.get_executor(), 1);
    std::optional<std::string> first("first");
    std::optional<std::string> second("second");
    EXPECT_TRUE(words.try_send_from(first));
    EXPECT_FALSE(first);
    EXPECT_FALSE(words.try_send_from(second));
    EXPECT_EQ(second, "second");
}

TEST(Channel, ClosingEndsTheWait) {
    asio::io_context io;
    auto numbers = std::make_shared<channel<int>>(io.get_executor(), 4);
    std::vector<int> got;
    asio::co_spawn(io, read_all(numbers, got), asio::detached);
    io.poll();
    numbers->close();
    io.run();
    EXPECT_TRUE(got.empty());
    EXPECT_FALSE(numbers->try_send(1));
}

// The sender's end may be the last one, on another thread, when the reader's executor is long gone.
TEST(Channel, OutlivesTheExecutorOfAReaderThatLeft) {
    std::shared_ptr<channel<int>> numbers;
    {
        asio::io_context io;
        numbers = std::make_shared<channel<int>>(io.get_executor(), 4);
        std::vector<int> got;
        asio::co_spawn(io, read_all(numbers, got), asio::detached);
        numbers->try_send(1);
        numbers->try_send(-1);
        io.run();
        EXPECT_EQ(got, std::vector<int>{1});
    }
    EXPECT_FALSE(numbers->try_send(2));
    numbers.reset();
}

}  // namespace
}  // namespace starling::aio

#include "quic/send_buffer.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace starling::quic {

std::string unsent_of(const send_buffer& buffer) {
    std::array<std::span<const std::uint8_t>, 64> parts;
    std::string out;
    for (std::size_t i = 0; i < buffer.unsent(parts); ++i) {
        out.append(parts[i].begin(), parts[i].end());
    }
    return out;
}

void push(send_buffer& buffer, std::string_view text) {
    buffer.push(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

TEST(SendBuffer, GivesWhatIsUnsentAndForgetsWhatHasArrived) {
    send_buffer buffer;
    push(buffer, "hello ");
    push(buffer, "world");
    EXPECT_EQ(unsent_of(buffer), "hello world");
    buffer.mark_sent(8);
    EXPECT_EQ(unsent_of(buffer), "rld");
    EXPECT_EQ(buffer.held(), 11U);
    buffer.mark_acknowledged(8);
    EXPECT_EQ(buffer.held(), 3U);
    buffer.mark_sent(3);
    EXPECT_FALSE(buffer.has_unsent());
    push(buffer, "!");
    EXPECT_EQ(unsent_of(buffer), "!");
    buffer.mark_acknowledged(3);
    EXPECT_EQ(unsent_of(buffer), "!");
}

TEST(SendBuffer, BytesThatWereSentDoNotMove) {
    send_buffer buffer;
    push(buffer, "first");
    std::array<std::span<const std::uint8_t>, 1> part;
    ASSERT_EQ(buffer.unsent(part), 1U);
    buffer.mark_sent(5);
    push(buffer, std::string(100'000, 'x'));
    EXPECT_EQ(std::string(part[0].begin(), part[0].end()), "first");
}

TEST(SendBuffer, AnyOrderOfWritesSendsAndAcknowledgementsKeepsTheBytesInOrder) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        send_buffer buffer;
        std::string written;
        std::size_t sent = 0;
        std::size_t acknowledged = 0;
        for (std::uint64_t i = 0; i < 200; ++i) {
            const auto draw = [&](std::uint64_t below, std::uint64_t which) {
                return static_cast<std::size_t>(uniform_draw(seed, i * 4 + which) * static_cast<double>(below));
            };
            switch (draw(3, 0)) {
                case 0: {
                    const std::string more(draw(draw(2, 1) == 0 ? 20 : 6'000, 2), static_cast<char>('a' + i % 26));
                    push(buffer, more);
                    written += more;
                    break;
                }
                case 1: {
                    const std::size_t count = draw(written.size() - sent + 1, 1);
                    buffer.mark_sent(count);
                    sent += count;
                    break;
                }
                default: {
                    const std::size_t count = draw(sent - acknowledged + 1, 1);
                    buffer.mark_acknowledged(count);
                    acknowledged += count;
                }
            }
            ASSERT_EQ(buffer.held(), written.size() - acknowledged) << "seed " << seed << ", event " << i;
            ASSERT_EQ(unsent_of(buffer), written.substr(sent)) << "seed " << seed << ", event " << i;
        }
    }
}

}  // namespace starling::quic

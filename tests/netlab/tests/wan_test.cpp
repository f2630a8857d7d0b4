#include "netlab/wan.hpp"
#include "netlab/control_codec.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace starling::netlab {
namespace {

using std::chrono::milliseconds;

const time_point start{std::chrono::hours(1)};
constexpr host_index everyone = 255;
constexpr std::size_t small = 100;

/// A frame to host `to`, counted from 1; `mark` is in it.
frame_pointer frame_to(host_index to, std::uint8_t mark = 0, std::size_t size = small) {
    auto out = std::make_unique<frame>();
    out->size = size;
    std::array<std::uint8_t, 6> mac{0x02, 0x4e, 0x4c, 0, 0, static_cast<std::uint8_t>(to)};
    if (to == everyone) {
        mac.fill(0xff);
    }
    std::memcpy(out->bytes.data(), mac.data(), mac.size());
    out->bytes[20] = std::byte{mark};
    return out;
}

/// Sends from and to hosts counted from 1, and says who got what when: "2@5" is host 2 after 5 ms.
class WanTest : public testing::Test {
  protected:
    void make(wan_settings settings) { wan_.emplace(settings); }
    void tell(const std::string& line) {
        const auto command = parse_command(line, wan_->hosts());
        ASSERT_TRUE(command) << command.error().message;
        wan_->apply(*command);
    }
    void send(host_index from, host_index to, std::uint8_t mark = 0) { wan_->send(now_, from - 1, frame_to(to, mark)); }
    std::string arrivals(milliseconds within = milliseconds(1000)) {
        std::string out;
        const time_point until = now_ + within;
        while (wan_->next_due() && *wan_->next_due() <= until) {
            const time_point at = *wan_->next_due();
            EXPECT_FALSE(wan_->take_due(at - std::chrono::nanoseconds(1))) << "too early";
            const auto got = wan_->take_due(at);
            const auto after = std::chrono::duration_cast<milliseconds>(at - now_).count();
            out += (out.empty() ? "" : " ") + std::to_string(got->to + 1) + "@" + std::to_string(after);
        }
        now_ = until;
        return out;
    }

    const host_counters& host(host_index number) { return wan_->counters()[number - 1]; }

    std::optional<wan> wan_;
    time_point now_ = start;
};

TEST_F(WanTest, AFrameReachesItsHostAfterTheDelay) {
    make({.hosts = 3, .way = {.delay = milliseconds(5)}});
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@5");
    EXPECT_EQ(host(1).frames, 1U);
    EXPECT_EQ(host(1).bytes, small);
    EXPECT_EQ(host(2).received_frames, 1U);
    EXPECT_EQ(host(2).received_bytes, small);
}

TEST_F(WanTest, ItsBytesAreTheSame) {
    make({.hosts = 2});
    send(1, 2, 77);
    const auto got = wan_->take_due(now_);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->frame->size, small);
    EXPECT_EQ(std::memcmp(got->frame->bytes.data(), frame_to(2, 77)->bytes.data(), small), 0);
}

TEST_F(WanTest, ABroadcastReachesEveryoneElse) {
    make({.hosts = 3, .way = {.delay = milliseconds(5)}});
    send(2, everyone);
    EXPECT_EQ(arrivals(), "1@5 3@5");
}

TEST_F(WanTest, AnUnknownAddressReachesNobody) {
    make({.hosts = 3});
    send(1, 4);
    wan_->send(now_, 0, frame_to(2, 0, 13));
    EXPECT_EQ(arrivals(), "");
    EXPECT_EQ(host(1).dropped_unknown, 2U);
}

TEST_F(WanTest, ACutHostNeitherSendsNorReceives) {
    make({.hosts = 3, .way = {.delay = milliseconds(5)}});
    send(1, 2);
    tell("cut 2");
    send(1, 2);
    send(2, 1);
    send(3, everyone);
    EXPECT_EQ(arrivals(), "2@5 1@5") << "what was on its way arrives";
    EXPECT_EQ(host(1).dropped_cut + host(2).dropped_cut + host(3).dropped_cut, 3U);
    tell("heal 2");
    send(1, 2);
    send(2, 1);
    EXPECT_EQ(arrivals(), "2@5 1@5");
}

TEST_F(WanTest, ACutPairTalksToOthers) {
    make({.hosts = 3});
    tell("cut 1 2");
    send(1, 2);
    send(2, 1);
    send(1, 3);
    send(3, 2);
    EXPECT_EQ(arrivals(), "3@0 2@0");
    tell("heal 2 1");
    send(1, 2);
    send(2, 1);
    EXPECT_EQ(arrivals(), "2@0 1@0");
}

TEST_F(WanTest, ABlockIsOneWay) {
    make({.hosts = 2});
    tell("block 1 2");
    send(1, 2);
    send(2, 1);
    EXPECT_EQ(arrivals(), "1@0");
    tell("heal 1 2");
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@0");
}

TEST_F(WanTest, HealingAHostLeavesCutPairsCut) {
    make({.hosts = 2});
    tell("cut 1");
    tell("cut 1 2");
    tell("heal 1");
    send(1, 2);
    EXPECT_EQ(arrivals(), "");
}

TEST_F(WanTest, APairHasADelayOfItsOwnBothWays) {
    make({.hosts = 3, .way = {.delay = milliseconds(5)}});
    tell("delay 1 2 30");
    send(1, 2);
    send(2, 1);
    send(1, 3);
    EXPECT_EQ(arrivals(), "3@5 2@30 1@30");
    tell("delay 7");
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@7") << "a setting for all is for all";
}

TEST_F(WanTest, LossOfAPairLeavesOthersAlone) {
    make({.hosts = 3});
    tell("loss 1 2 100");
    send(1, 2);
    send(2, 1);
    send(1, 3);
    EXPECT_EQ(arrivals(), "3@0");
    EXPECT_EQ(host(1).dropped_loss, 1U);
    EXPECT_EQ(host(2).dropped_loss, 1U);
    tell("loss 0");
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@0");
}

TEST_F(WanTest, DuplicatesComeTwice) {
    make({.hosts = 2});
    tell("duplicate 100");
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@0 2@0");
}

TEST_F(WanTest, ARateIsOfTheHostsLineWhoeverItSendsTo) {
    make({.hosts = 3, .rate_mbit = 0.8});  // a small frame takes 1 ms
    send(1, 2);
    send(1, 3);
    send(2, 3);
    EXPECT_EQ(arrivals(), "2@1 3@1 3@2");
    tell("rate 1 0.08");
    send(1, 2);
    send(2, 1);
    EXPECT_EQ(arrivals(), "1@1 2@10");
    tell("rate 0");
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@0");
}

TEST_F(WanTest, AFullLineDrops) {
    make({.hosts = 2, .rate_mbit = 0.8});
    for (int i = 0; i < 300; ++i) {
        send(1, 2);
    }
    EXPECT_EQ(host(1).dropped_queue, 99U);
}

TEST_F(WanTest, AWayHoldsSoMuchAndNoMore) {
    make({.hosts = 3, .way = {.delay = milliseconds(5)}});
    for (std::size_t i = 0; i < way_frames_max + 10; ++i) {
        send(1, 2);
    }
    send(1, 3);
    EXPECT_EQ(host(1).dropped_queue, 10U) << "of one way, not of the network";
    arrivals();
    send(1, 2);
    EXPECT_EQ(arrivals(), "2@5") << "there is room again";
    EXPECT_EQ(host(1).dropped_queue, 10U);
}

TEST_F(WanTest, TheSameSeedLosesTheSameFrames) {
    const auto received = [&](std::uint64_t seed, host_index to, bool others) {
        make({.hosts = 3, .way = {.loss = 0.5}, .seed = seed});
        std::string out;
        for (int i = 0; i < 64; ++i) {
            if (others) {
                send(2, 3);
                arrivals();
            }
            send(1, to);
            out += arrivals().empty() ? '-' : '+';
        }
        return out;
    };
    EXPECT_EQ(received(1, 2, false), received(1, 2, true)) << "whatever others send";
    EXPECT_NE(received(1, 2, false), received(2, 2, false));
    EXPECT_NE(received(1, 2, false), received(1, 3, false)) << "each way has a fate of its own";
}

}  // namespace
}  // namespace starling::netlab

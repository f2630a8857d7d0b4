// A mesh of failure detectors with nothing between them: what they send each other.
#include "peers/gossip.hpp"

#include "aio/task_scope.hpp"
#include "transport/tests/run.hpp"

#include "aio/pause.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace starling::peers {

namespace asio = boost::asio;
using namespace std::chrono_literals;

admission::unix_time_s wall_time() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class gossip_test : public testing::Test {
  public:
    struct node {
        keys::key_pair keys = keys::key_pair::generate();
        std::unique_ptr<gossip> life;
    };

    /// As much as a member can say about itself, admitted by a delegate.
    description longest_words(const keys::key_pair& of) const {
        admission::certificate what;
        what.mesh = root_.id();
        what.subject = delegate_.id();
        what.role = admission::role::worker;
        what.may_admit = true;
        what.issued_s = wall_time() - 10;
        what.expires_s = wall_time() + 1'000;
        const auto own = admission::issue(root_, what);
        what.subject = of.id();
        what.may_admit = false;
        return {.name = std::string(max_name_bytes, 'n'),
                .software = std::string(max_software_bytes, 's'),
                .addresses = {max_addresses, "[2001:0db8:1111:2222:3333:4444:5555:6666]:65535"},
                .certificate = admission::issue(delegate_, own, what)};
    }

    void add() {
        node& one = *nodes_.emplace_back(std::make_unique<node>());
        gossip_hooks hooks;
        hooks.send = [this, from = one.keys.id()](const node_id& to, wire::bytes message, message_size size) {
            if (size == message_size::datagram) {
                largest_ = std::max(largest_, message.size());
                ++datagrams_;
            }
            asio::post(io_, [this, from, to, message = std::move(message)] {
                for (const auto& other : nodes_) {
                    if (other->keys.id() == to) {
                        other->life->receive(from, message);
                    }
                }
            });
        };
        hooks.changed = [](const membership::member_changed&) {};
        auto made = gossip::create(io_.get_executor(), one.keys, longest_words(one.keys), revoked_, nodes_.size(),
                                   std::move(hooks));
        ASSERT_TRUE(made) << made.error().message;
        one.life = std::move(*made);
    }

    asio::io_context io_{1};
    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair delegate_ = keys::key_pair::generate();
    admission::revocation_list revoked_{root_.id()};
    std::vector<std::unique_ptr<node>> nodes_;
    std::size_t largest_ = 0;
    std::size_t datagrams_ = 0;
};

TEST_F(gossip_test, WhatIsToBeADatagramFitsOneHoweverMuchMembersSay) {
    constexpr std::size_t members = 24;
    for (std::size_t i = 0; i < members; ++i) {
        add();
    }
    transport::run_to_end(io_, [](gossip_test& t) -> transport::awaitable<void> {
        aio::task_scope tasks(t.io_.get_executor());
        for (const auto& one : t.nodes_) {
            tasks.spawn(one->life->run());
            if (one != t.nodes_.front()) {
                one->life->join(t.nodes_.front()->keys.id());
            }
        }
        const auto everybody_knows = [&t] {
            return std::all_of(t.nodes_.begin(), t.nodes_.end(),
                               [](const auto& one) { return one->life->members().size() == members - 1; });
        };
        const auto limit = transport::soon();
        while (!everybody_knows() && std::chrono::steady_clock::now() < limit) {
            co_await aio::pause(20ms);
        }
        EXPECT_TRUE(everybody_knows());
        // Everyone leaves at once: the most news that there can be.
        for (std::size_t i = 1; i < members; ++i) {
            t.nodes_[i]->life->leave();
        }
        co_await aio::pause(1s);
        tasks.cancel();
        co_await tasks.join();
    }(*this));
    EXPECT_GT(datagrams_, members);
    EXPECT_LE(largest_, transport::max_datagram_bytes);
    EXPECT_GT(largest_, transport::max_datagram_bytes / 2) << "messages were full";
}

}  // namespace starling::peers

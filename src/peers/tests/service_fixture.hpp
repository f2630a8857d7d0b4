// A mesh of services in one process, on the transport in memory.
#pragma once

#include "aio/pause.hpp"
#include "peers/service.hpp"
#include "transport/memory_network.hpp"
#include "transport/tests/run.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace starling::peers {

namespace asio = boost::asio;
using membership::member_state;
using namespace std::chrono_literals;

inline admission::unix_time_s wall_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// A mesh in one process.
class service_test : public testing::Test {
  public:
    struct member {
        keys::key_pair keys = keys::key_pair::generate();
        transport::address where;
        std::unique_ptr<service> life;
        node_status status;
        std::vector<event> events;
        std::vector<admission::revocation> kept;
        admission::invite_book invites;
        std::vector<std::string> asked;  // what its handler of requests was given
    };

    admission::certificate certificate_for(const node_id& subject) const {
        admission::certificate what;
        what.subject = subject;
        what.role = admission::role::worker;
        what.issued_s = wall_now() - 10;
        what.expires_s = wall_now() + 1'000;
        return admission::issue(root_, what);
    }

    static std::string text_of(const transport::address& where) {
        return where.address().to_string() + ":" + std::to_string(where.port());
    }

    /// Knows `first`, if there is one.
    member& add(const member* first = nullptr) {
        member& one = *members_.emplace_back(std::make_unique<member>());
        begin(one, first);
        return one;
    }

    /// Its first life, or one more.
    void begin(member& one, const member* first) {
        setup of{.endpoint = network_.add(one.keys.id()), .self = one.keys, .said = {}, .contacts = {}, .revoked = {}};
        one.where = of.endpoint->local();
        of.said.name = "node " + std::to_string(members_.size());
        of.said.software = "0";
        of.said.addresses = {text_of(one.where)};
        of.said.certificate = certificate_for(one.keys.id());
        of.seed = members_.size();
        if (first != nullptr) {
            of.contacts.push_back({.id = first->keys.id(), .addresses = {text_of(first->where)}});
        }
        hooks calls;
        calls.status = [&one] { return one.status; };
        calls.serve = [&one](transport::message_stream stream, std::string first_message, node_id) -> awaitable<void> {
            one.asked.push_back(first_message);
            auto sent = co_await stream.send("you said " + first_message, transport::soon());
            static_cast<void>(sent);
            stream.finish();
        };
        calls.redeem = [this, &one](const admission::invite::secret_bytes& secret,
                                    const node_id& bearer) -> result<admission::certificate> {
            auto may = one.invites.redeem(secret, bearer, wall_now());
            if (!may) {
                return may.error();
            }
            return certificate_for(bearer);
        };
        calls.on_revocation = [&one](const admission::revocation& heard) { one.kept.push_back(heard); };
        calls.on_changed = [] {};
        calls.on_event = [&one](const event& what) { one.events.push_back(what); };
        auto made = service::create(io_.get_executor(), std::move(of), std::move(calls));
        EXPECT_TRUE(made) << made.error().message;
        one.life = std::move(*made);
        one.life->start();
    }

    std::optional<peer_view> view(const member& by, const member& of) const {
        for (peer_view& one : by.life->peers()) {
            if (one.id == of.keys.id()) {
                return std::move(one);
            }
        }
        return std::nullopt;
    }

    bool connected(const member& a, const member& b) const {
        const auto seen = view(a, b);
        return seen && seen->state == member_state::alive && seen->connection != nullptr;
    }

    /// What `by` hears when it asks `of`; empty when nothing comes.
    awaitable<std::string> request(const member& by, const member& of) {
        const auto seen = view(by, of);
        if (!seen || !seen->connection) {
            co_return std::string();
        }
        auto opened = co_await seen->connection->open(transport::soon());
        if (!opened) {
            co_return std::string();
        }
        transport::message_stream stream(std::move(*opened));
        auto sent = co_await stream.send(R"({"type":"prompt"})", transport::soon());
        static_cast<void>(sent);
        auto answer = co_await stream.receive(transport::soon());
        co_return answer ? *answer : std::string();
    }

    awaitable<void> until(std::function<bool()> is_so) {
        const auto limit = transport::soon();
        while (!is_so() && std::chrono::steady_clock::now() < limit) {
            co_await aio::pause(5ms);
        }
        EXPECT_TRUE(is_so());
    }

    void run(std::function<awaitable<void>(service_test&)> test) {
        auto whole = [](service_test& t, std::function<awaitable<void>(service_test&)> inner) -> awaitable<void> {
            co_await inner(t);
            for (const auto& one : t.members_) {
                if (one->life) {
                    co_await one->life->stop();
                }
            }
        };
        transport::run_to_end(io_, whole(*this, std::move(test)));
    }

    asio::io_context io_{1};
    transport::memory_network network_{io_.get_executor()};
    keys::key_pair root_ = keys::key_pair::generate();
    std::vector<std::unique_ptr<member>> members_;
};

}  // namespace starling::peers

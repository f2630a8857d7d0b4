// A node that says what a test wants, in its own words, on the transport in memory: one of another version, or a liar.
#pragma once

#include "peers/greeting_codec.hpp"
#include "peers/membership_codec.hpp"
#include "service_fixture.hpp"
#include "wire/base64url.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace starling::peers {

class raw_node {
  public:
    explicit raw_node(service_test& in, const keys::key_pair& keys = keys::key_pair::generate())
        : in_(in), keys_(keys), endpoint_(in.network_.add(keys_.id())) {}

    node_id id() const { return keys_.id(); }
    transport::address where() const { return endpoint_->local(); }
    const keys::key_pair& keys() const { return keys_; }
    transport::connection& link() const { return *link_; }
    const std::shared_ptr<transport::connection>& shared_link() const { return link_; }
    bool is_open() const { return link_ && !link_->ended(); }

    awaitable<void> connect(const service_test::member& to) {
        auto made = co_await endpoint_->connect(to.where, to.keys.id(), transport::soon());
        EXPECT_TRUE(made);
        link_ = *made;
    }

    /// A hello as this version writes it; `more` goes into the object as it is.
    std::string hello_json(const admission::certificate& shown, std::string_view more = {}) const {
        return R"({"type":"hello",)" + std::string(more) + R"("mesh":")" + to_string(in_.root_.id()) +
               R"(","certificate":")" + wire::to_base64url(admission::encode(shown)) + R"("})";
    }

    std::string hello_json(std::string_view more = R"("version":1,"oldest":1,)") const {
        return hello_json(in_.certificate_for(id()), more);
    }

    /// A stream of its own that begins with `bytes`, framed or not.
    awaitable<std::unique_ptr<transport::stream>> open_with(wire::bytes bytes) {
        auto opened = co_await link_->open(transport::soon());
        if (!opened) {
            co_return nullptr;
        }
        auto sent = co_await (*opened)->write(bytes, transport::soon());
        static_cast<void>(sent);
        co_return std::move(*opened);
    }

    awaitable<transport::message_stream> open(std::string first) {
        const auto bytes = wire::framed(first);
        auto opened = co_await open_with(bytes);
        co_return transport::message_stream(std::move(opened));
    }

    /// The first answer on a stream of its own; empty when there is none.
    awaitable<std::string> ask(std::string what) {
        auto stream = co_await open(std::move(what));
        auto answer = co_await stream.receive(transport::soon());
        co_return answer ? *answer : std::string();
    }

    /// Connects and is admitted.
    awaitable<void> enter(const service_test::member& to) {
        co_await connect(to);
        auto said = hello_json();
        const std::string answer = co_await ask(std::move(said));
        EXPECT_NE(answer.find(R"("type":"hello")"), std::string::npos) << answer;
    }

    /// Takes the next connection that a service makes, and answers its greeting.
    awaitable<void> admit() {
        auto taken = co_await endpoint_->accept();
        EXPECT_TRUE(taken);
        link_ = *taken;
        auto greeted = co_await accept("hello");
        auto said = hello_json();
        auto sent = co_await greeted.send(std::move(said), transport::soon());
        EXPECT_TRUE(sent);
    }

    /// Its next stream from the other side that begins with this type; others are kept open and ignored.
    awaitable<transport::message_stream> accept(std::string_view type) {
        for (;;) {
            auto taken = co_await link_->accept(transport::soon());
            if (!taken) {
                ADD_FAILURE() << "no stream of type " << type;
                throw std::runtime_error("no such stream");
            }
            transport::message_stream stream(std::move(*taken));
            auto first = co_await stream.receive(transport::soon());
            if (first && first->find(type) != std::string::npos) {
                co_return stream;
            }
            ignored_.push_back(std::move(stream));
        }
    }

    /// What it says about itself, signed.
    membership::record record(membership::incarnation_number incarnation) const {
        return record_of({.name = "raw", .software = "x", .addresses = {}, .certificate = in_.certificate_for(id())},
                         incarnation);
    }

    membership::record record_of(const description& said, membership::incarnation_number incarnation) const {
        membership::record out{.id = said.certificate.subject, .incarnation = incarnation};
        out.payload = encode(said);
        out.signature = make_signer(keys_)(out);
        return out;
    }

    static std::string text_of(const wire::bytes& from) { return {from.begin(), from.end()}; }

    /// Makes itself known to the mesh.
    awaitable<void> introduce() {
        auto own = std::make_shared<const membership::record>(record(1));
        const membership::message said = membership::sync_request{.sender = std::move(own), .buckets = {0}};
        auto stream = co_await open(R"({"type":"gossip"})");
        auto sent = co_await stream.send(text_of(encode(said)), transport::soon());
        EXPECT_TRUE(sent);
        gossip_.push_back(std::move(stream));
    }

  private:
    service_test& in_;
    keys::key_pair keys_;
    std::unique_ptr<transport::endpoint> endpoint_;
    std::shared_ptr<transport::connection> link_;
    std::vector<transport::message_stream> ignored_;
    std::vector<transport::message_stream> gossip_;
};

/// As `a` sees a node that is no service.
inline std::optional<peer_view> view_of(const service_test::member& a, const node_id& of) {
    for (peer_view& one : a.life->peers()) {
        if (one.id == of) {
            return std::move(one);
        }
    }
    return std::nullopt;
}

}  // namespace starling::peers

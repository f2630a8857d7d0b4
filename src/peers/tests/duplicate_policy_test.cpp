#include "peers/duplicate_policy.hpp"

#include "raw_node.hpp"

#include <gtest/gtest.h>

namespace starling::peers {

TEST(DuplicatePolicy, BothSidesKeepTheSameOne) {
    node_id a;
    node_id b;
    a.bytes.fill(1);
    b.bytes.fill(2);
    // Each side sees its own connection and that of the other in its own order.
    EXPECT_EQ(which_to_keep(a, b, a, b), keep::existing);  // at a: its own came first
    EXPECT_EQ(which_to_keep(b, a, a, b), keep::existing);  // at b: the other's came first
    EXPECT_EQ(which_to_keep(a, b, b, a), keep::newer);
    EXPECT_EQ(which_to_keep(b, a, b, a), keep::newer);
}

TEST(DuplicatePolicy, ANodeThatConnectsAgainHasLostItsFirst) {
    node_id a;
    node_id b;
    b.bytes.fill(2);
    EXPECT_EQ(which_to_keep(a, b, b, b), keep::newer);
    EXPECT_EQ(which_to_keep(a, b, a, a), keep::newer);
}

// What was begun on the connection that goes is not lost with it.

class two_connections : public service_test {
  public:
    enum class raw_is { lower, higher };

    /// A service and a node that it has called; whose connection stays follows from which id is lower.
    awaitable<void> begin_pair(raw_is side) {
        a_ = &add();
        auto keys = keys::key_pair::generate();
        while ((keys.id() < a_->keys.id()) != (side == raw_is::lower)) {
            keys = keys::key_pair::generate();
        }
        raw_ = std::make_unique<raw_node>(*this, keys);
        a_->life->add_contact({.id = raw_->id(), .addresses = {text_of(raw_->where())}});
        co_await raw_->admit();
        called_ = raw_->shared_link();
        co_await raw_->introduce();
        co_await until([this] { return view_of(*a_, raw_->id()).has_value(); });
    }

    std::shared_ptr<transport::connection> used() const { return view_of(*a_, raw_->id())->connection; }

    /// The beginning of a request; the rest of it comes with finish().
    static constexpr std::string_view question = R"({"type":"prompt"})";
    awaitable<std::unique_ptr<transport::stream>> half_a_question() {
        auto whole = wire::framed(question);
        whole.resize(whole.size() / 2);
        auto stream = co_await raw_->open_with(std::move(whole));
        co_return stream;
    }
    static awaitable<std::string> finish(std::unique_ptr<transport::stream> asked) {
        const auto whole = wire::framed(question);
        const auto rest = std::span(whole).subspan(whole.size() / 2);
        auto sent = co_await asked->write(rest, transport::soon());
        EXPECT_TRUE(sent);
        transport::message_stream stream(std::move(asked));
        auto answer = co_await stream.receive(transport::soon());
        co_return answer ? *answer : std::string();
    }

    member* a_ = nullptr;
    std::unique_ptr<raw_node> raw_;
    std::shared_ptr<transport::connection> called_;
};

TEST_F(two_connections, ARequestOnTheOneThatGoesIsAnsweredFirst) {
    run([](service_test& base) -> awaitable<void> {
        auto& t = dynamic_cast<two_connections&>(base);
        co_await t.begin_pair(raw_is::lower);
        auto asked = co_await t.half_a_question();
        const auto first = t.used();
        co_await t.raw_->enter(*t.a_);
        co_await t.until([&] { return t.used() && t.used() != first; });
        co_await aio::pause(1s);
        EXPECT_FALSE(t.called_->ended());
        const std::string answer = co_await finish(std::move(asked));
        EXPECT_EQ(answer, "you said " + std::string(t.question));
        co_await t.until([&] { return t.called_->ended().has_value(); });
        EXPECT_TRUE(t.raw_->is_open());
    });
}

TEST_F(two_connections, ARequestOnTheOneThatIsNotTakenIsAnsweredFirst) {
    run([](service_test& base) -> awaitable<void> {
        auto& t = dynamic_cast<two_connections&>(base);
        co_await t.begin_pair(raw_is::higher);
        const auto first = t.used();
        co_await t.raw_->enter(*t.a_);
        auto asked = co_await t.half_a_question();
        co_await aio::pause(1s);
        EXPECT_EQ(t.used(), first);
        EXPECT_TRUE(t.raw_->is_open());
        const std::string answer = co_await finish(std::move(asked));
        EXPECT_EQ(answer, "you said " + std::string(t.question));
        co_await t.until([&] { return !t.raw_->is_open(); });
        EXPECT_FALSE(t.called_->ended());
    });
}

TEST_F(two_connections, OnesThatAreHeldOpenAreBounded) {
    run([](service_test& base) -> awaitable<void> {
        auto& t = dynamic_cast<two_connections&>(base);
        co_await t.begin_pair(raw_is::higher);
        std::vector<std::shared_ptr<transport::connection>> held;
        std::vector<std::unique_ptr<transport::stream>> asked;
        for (int i = 0; i < 20; ++i) {
            co_await t.raw_->enter(*t.a_);
            held.push_back(t.raw_->shared_link());
            auto one = co_await t.half_a_question();
            asked.push_back(std::move(one));
        }
        const auto open = [&] {
            return std::count_if(held.begin(), held.end(), [](const auto& one) { return !one->ended(); });
        };
        co_await t.until([&] { return open() == 1; });
        EXPECT_FALSE(t.called_->ended());
    });
}

}  // namespace starling::peers

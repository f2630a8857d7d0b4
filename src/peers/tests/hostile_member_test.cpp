// Strangers and members that mean harm: each gets a refusal that says why, or nothing, and the service goes on serving
// its other member.
#include "raw_node.hpp"

#include "peers/greeting_limits.hpp"
#include "wire/json_access.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <array>

namespace starling::peers {

using admission::errc;
using membership::message;

namespace {

std::shared_ptr<const membership::record> shared(membership::record from) {
    return std::make_shared<const membership::record>(std::move(from));
}

/// What members say at the beginning of a stream.
std::vector<std::string> openings() {
    return {R"({"type":"prompt","model":"m"})", R"({"type":"status"})", R"({"type":"gossip"})",
            R"({"type":"revocations","list":[]})", "garbage"};
}

wire::bytes half_a_frame() {
    return {0, 0, 1, 0, '{', '"'};
}

std::vector<membership::incarnation_number> later_than(membership::incarnation_number true_one) {
    return {true_one + 1, membership::max_incarnation, ~membership::incarnation_number{0}};
}

/// Streams that say hardly anything.
std::vector<wire::bytes> tiny_starts() {
    return {wire::bytes{}, wire::bytes{0}, wire::bytes{0, 0, 0, 9, '{'}, wire::bytes{0, 0, 0, 0}};
}

}  // namespace

class hostile_members : public service_test {
  public:
    /// A pair of members that know each other; the first is the one that is attacked.
    awaitable<void> begin_pair() {
        a_ = &add();
        b_ = &add(a_);
        co_await until([this] { return connected(*a_, *b_) && connected(*b_, *a_); });
    }

    /// The service answers its other member, and soon.
    awaitable<void> expect_served() {
        const auto begun = std::chrono::steady_clock::now();
        const std::string answer = co_await request(*b_, *a_);
        EXPECT_EQ(answer, R"(you said {"type":"prompt"})");
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
        EXPECT_TRUE(connected(*a_, *b_));
    }

    /// Says hello with this certificate, and is refused with this code.
    awaitable<void> expect_refused(raw_node& by, admission::certificate shown, errc code) {
        co_await by.connect(*a_);
        auto hello = by.hello_json(shown, R"("version":1,"oldest":1,)");
        const std::string answer = co_await by.ask(std::move(hello));
        const auto parsed = parse_greeting(answer);
        EXPECT_TRUE(parsed && std::holds_alternative<refused>(*parsed)) << answer;
        if (parsed && std::holds_alternative<refused>(*parsed)) {
            EXPECT_TRUE(std::get<refused>(*parsed).why == code) << answer;
        }
        co_await until([&] { return !by.is_open(); });
    }

    bool heard(const member& at, event_kind kind, const node_id& of) const {
        return std::any_of(at.events.begin(), at.events.end(),
                           [&](const event& e) { return e.kind == kind && e.id == of; });
    }

    void run_attack(std::function<awaitable<void>(hostile_members&)> attack) {
        run([attack = std::move(attack)](service_test& t) -> awaitable<void> {
            auto& self = dynamic_cast<hostile_members&>(t);
            co_await self.begin_pair();
            co_await attack(self);
            co_await self.expect_served();
        });
    }

    member* a_ = nullptr;
    member* b_ = nullptr;
};

// Getting in.

TEST_F(hostile_members, WhoNeverSaysHelloIsClosed) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node silent(t);
        raw_node slow(t);
        raw_node halved(t);
        co_await silent.connect(*t.a_);
        co_await slow.connect(*t.a_);
        auto open_only = co_await slow.open_with({});
        co_await halved.connect(*t.a_);
        auto half = co_await halved.open_with(half_a_frame());
        co_await t.until([&] { return !silent.is_open() && !slow.is_open() && !halved.is_open(); });
    });
}

TEST_F(hostile_members, StrangersWhoSayNothingAreBoundedAndKeepNobodyOut) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node first(t);
        co_await first.connect(*t.a_);
        raw_node crowd(t);
        std::vector<std::shared_ptr<transport::connection>> held;
        for (std::size_t i = 0; i < max_newcomers + 50; ++i) {
            co_await crowd.connect(*t.a_);
            held.push_back(crowd.shared_link());
            if (i % 100 == 0) {
                co_await aio::pause(1ms);
            }
        }
        co_await t.until([&] { return !first.is_open(); });
        EXPECT_LE(t.a_->life->running_tasks(), max_newcomers + 200);
        raw_node honest(t);
        co_await honest.enter(*t.a_);
        EXPECT_TRUE(honest.is_open());
        for (const auto& one : held) {
            one->close("enough");
        }
        co_await t.until([&] { return t.a_->life->running_tasks() < 50; });
    });
}

TEST_F(hostile_members, BeforeItsHelloNothingThatANodeSendsIsLookedAt) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        for (const std::string& opening : openings()) {
            raw_node stranger(t);
            co_await stranger.connect(*t.a_);
            static_cast<void>(stranger.link().send_datagram(transport::bytes_of("garbage")));
            const std::string answer = co_await stranger.ask(opening);
            EXPECT_EQ(answer, "") << opening;
            co_await t.until([&] { return !stranger.is_open(); });
        }
        EXPECT_TRUE(t.a_->asked.empty());
    });
}

TEST_F(hostile_members, AStreamBesideTheHelloIsNotLookedAtWhenTheHelloIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node stranger(t);
        co_await stranger.connect(*t.a_);
        auto forged = t.certificate_for(keys::key_pair::generate().id());
        auto said = stranger.hello_json(forged, R"("version":1,)");
        auto hello = co_await stranger.open(std::move(said));
        auto beside = co_await stranger.open(R"({"type":"prompt"})");
        auto nothing = co_await beside.receive(transport::soon());
        EXPECT_FALSE(nothing);
        EXPECT_FALSE(stranger.is_open());
        EXPECT_TRUE(t.a_->asked.empty());
    });
}

TEST_F(hostile_members, AnExpiredCertificateIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node late(t);
        auto shown = t.certificate_for(late.id());
        shown.issued_s = wall_now() - 100'000;
        shown.expires_s = wall_now() - 1'000;
        shown = admission::issue(t.root_, shown);
        co_await t.expect_refused(late, shown, errc::expired);
    });
}

TEST_F(hostile_members, ACertificateOfTheFutureIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node early(t);
        auto shown = t.certificate_for(early.id());
        shown.issued_s = wall_now() + 10'000;
        shown.expires_s = wall_now() + 20'000;
        shown = admission::issue(t.root_, shown);
        co_await t.expect_refused(early, shown, errc::not_yet_valid);
    });
}

TEST_F(hostile_members, ARevokedCertificateIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node out(t);
        t.a_->life->revoke(admission::revoke(t.root_, out.id(), wall_now()));
        co_await t.expect_refused(out, t.certificate_for(out.id()), errc::revoked);
    });
}

TEST_F(hostile_members, ACertificateOfAnotherMeshIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node foreign(t);
        auto shown = t.certificate_for(foreign.id());
        shown = admission::issue(keys::key_pair::generate(), shown);
        co_await t.expect_refused(foreign, shown, errc::wrong_mesh);
    });
}

TEST_F(hostile_members, ACertificateOfAnotherNodeIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node thief(t);
        co_await t.expect_refused(thief, t.certificate_for(t.b_->keys.id()), errc::forged);
    });
}

TEST_F(hostile_members, ACertificateThatNobodyOfTheMeshHasSignedIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node forger(t);
        auto shown = t.certificate_for(forger.id());
        shown.expires_s += 1;  // the signature covers it
        co_await t.expect_refused(forger, shown, errc::forged);
    });
}

TEST_F(hostile_members, ACertificateOfAMemberWhoMayNotAdmitIsRefused) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node friend_of_b(t);
        admission::certificate shown = t.certificate_for(friend_of_b.id());
        shown = admission::issue(t.b_->keys, t.certificate_for(t.b_->keys.id()), shown);
        co_await t.expect_refused(friend_of_b, shown, errc::not_allowed);
    });
}

// Invites.

namespace {

awaitable<void> join_with(raw_node& by, std::string wish, std::string& answer) {
    answer = co_await by.ask(std::move(wish));
}

std::string join_json(const service_test& t, const admission::invite& with) {
    return to_json(greeting(join{.mesh = t.root_.id(), .secret = with.secret}));
}

std::string code_of(const std::string& answer) {
    const auto parsed = wire::parse_or_null(answer);
    const auto type = wire::string_member(parsed, "type");
    return std::string(type == "refused" ? wire::string_member(parsed, "code") : type);
}

}  // namespace

TEST_F(hostile_members, OfTwoWhoPresentAnInviteAtTheSameMomentOneIsAdmitted) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        admission::invite one;
        one.secret.fill(7);
        one.expires_s = wall_now() + 100;
        EXPECT_TRUE(t.a_->invites.add(one, wall_now()));
        raw_node first(t);
        raw_node second(t);
        co_await first.connect(*t.a_);
        co_await second.connect(*t.a_);
        std::array<std::string, 2> answers;
        asio::co_spawn(t.io_, join_with(first, join_json(t, one), answers[0]), asio::detached);
        asio::co_spawn(t.io_, join_with(second, join_json(t, one), answers[1]), asio::detached);
        co_await t.until([&] { return !answers[0].empty() && !answers[1].empty(); });
        std::array<std::string, 2> codes{code_of(answers[0]), code_of(answers[1])};
        std::sort(codes.begin(), codes.end());
        EXPECT_EQ(codes[0], "used");
        EXPECT_EQ(codes[1], "welcome");

        raw_node replaying(t);
        co_await replaying.connect(*t.a_);
        auto again = join_json(t, one);
        const std::string answer = co_await replaying.ask(std::move(again));
        EXPECT_EQ(code_of(answer), "used") << answer;
        co_await t.until([&] { return !replaying.is_open(); });
    });
}

TEST_F(hostile_members, AnInviteThatIsOverOrUnknownOpensNothing) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        admission::invite over;
        over.secret.fill(8);
        over.expires_s = wall_now() - 1;
        EXPECT_TRUE(t.a_->invites.add(over, wall_now() - 100));
        admission::invite unknown;
        unknown.secret.fill(9);
        for (const auto& [with, code] : {std::pair(over, "expired"), std::pair(unknown, "unknown_invite")}) {
            raw_node late(t);
            co_await late.connect(*t.a_);
            auto wish = join_json(t, with);
            const std::string answer = co_await late.ask(std::move(wish));
            EXPECT_EQ(code_of(answer), code) << answer;
            co_await t.until([&] { return !late.is_open(); });
        }
    });
}

// Lies in gossip.

namespace {

awaitable<void> gossip_it(raw_node& by, message what) {
    const auto bytes = encode(what);
    if (bytes.size() <= transport::max_datagram_bytes) {
        static_cast<void>(by.link().send_datagram(bytes));
    }
    auto stream = co_await by.open(R"({"type":"gossip"})");
    auto sent = co_await stream.send(raw_node::text_of(bytes), transport::soon());
    EXPECT_TRUE(sent);
    co_await aio::pause(100ms);
}

message accuse(const node_id& subject, membership::incarnation_number number, const node_id& accuser) {
    const membership::accusation claim{
        .subject = subject, .incarnation = number, .kind = membership::claim::dead, .accuser = accuser};
    return membership::gossip{.news = {.records = {}, .accusations = {claim}}};
}

message want(const node_id& whom) {
    return membership::sync_records{.records = {}, .accusations = {}, .wanted = {whom}};
}

std::vector<message> ways_to_say(const membership::shared_record& lie) {
    return {membership::gossip{.news = {.records = {lie}, .accusations = {}}},
            membership::ping{.sequence = 1, .news = {.records = {lie}, .accusations = {}}},
            membership::sync_request{.sender = lie, .buckets = {0}},
            membership::sync_digest{.sender = lie, .bucket_count = 1, .differing = {}, .entries = {}},
            membership::sync_records{.records = {lie}, .accusations = {}, .wanted = {}}};
}

}  // namespace

TEST_F(hostile_members, ARecordOfSomebodyElseChangesNothing) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node liar(t);
        co_await liar.enter(*t.a_);
        co_await liar.introduce();
        const auto before = t.view(*t.a_, *t.b_)->said;
        constexpr membership::incarnation_number absurd = membership::max_incarnation;
        description false_words = before;
        false_words.name = "mine now";
        false_words.addresses = {"192.0.2.66:1"};
        auto left = liar.record_of(false_words, absurd);
        left.kind = membership::record_kind::left;
        auto unsigned_one = liar.record_of(false_words, absurd);
        unsigned_one.signature.clear();
        auto own_certificate = liar.record(absurd);  // of the liar's own, under the other's name
        own_certificate.id = t.b_->keys.id();
        auto about_us = false_words;
        about_us.certificate = t.certificate_for(t.a_->keys.id());
        for (const auto& lie : {liar.record_of(false_words, absurd), left, unsigned_one, own_certificate,
                                liar.record_of(about_us, absurd)}) {
            for (message& way : ways_to_say(shared(lie))) {
                co_await gossip_it(liar, std::move(way));
            }
        }
        EXPECT_EQ(t.view(*t.a_, *t.b_)->said.name, before.name);
        EXPECT_EQ(t.view(*t.a_, *t.b_)->said.addresses, before.addresses);
        EXPECT_TRUE(t.connected(*t.a_, *t.b_));
        EXPECT_TRUE(t.connected(*t.b_, *t.a_));
        EXPECT_TRUE(liar.is_open());
    });
}

TEST_F(hostile_members, AForgedIncarnationIsNoUse) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node liar(t);
        co_await liar.enter(*t.a_);
        co_await liar.introduce();
        // The true record of b, of which only the number is changed, and accusations with numbers that never were.
        auto gossip_in = co_await liar.accept("gossip");
        auto answer = co_await gossip_in.receive(transport::soon());
        EXPECT_TRUE(answer);
        auto wish = want(t.b_->keys.id());
        co_await gossip_it(liar, std::move(wish));
        std::optional<membership::record> truth;
        while (!truth) {
            auto got = co_await gossip_in.receive(transport::soon());
            if (!got) {
                ADD_FAILURE() << "was not told of b";
                co_return;
            }
            const auto parsed = decode_message(transport::bytes_of(*got));
            const auto* records = parsed ? std::get_if<membership::sync_records>(&*parsed) : nullptr;
            if (records != nullptr && !records->records.empty() && records->records[0]->id == t.b_->keys.id()) {
                truth = *records->records[0];
            }
        }
        for (const auto number : later_than(truth->incarnation)) {
            auto lie = *truth;
            lie.incarnation = number;
            for (message& way : ways_to_say(shared(lie))) {
                co_await gossip_it(liar, std::move(way));
            }
            for (const auto* subject : {t.a_, t.b_}) {
                auto claim = accuse(subject->keys.id(), number, liar.id());
                co_await gossip_it(liar, std::move(claim));
            }
        }
        EXPECT_TRUE(t.connected(*t.a_, *t.b_));
        EXPECT_TRUE(t.connected(*t.b_, *t.a_));
        EXPECT_FALSE(t.heard(*t.a_, event_kind::lost, t.b_->keys.id()));
    });
}

TEST_F(hostile_members, RevocationsThatNobodyMayMakeAreIgnoredAndNotPassedOn) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node liar(t);
        co_await liar.enter(*t.a_);
        const node_id victim = t.b_->keys.id();
        auto unsigned_one = admission::revoke(t.root_, victim, wall_now());
        unsigned_one.signature.fill(0);
        auto of_another_mesh = admission::revoke(keys::key_pair::generate(), victim, wall_now());
        auto renamed = of_another_mesh;
        renamed.mesh = t.root_.id();
        auto by_a_worker = admission::revoke(liar.keys(), t.certificate_for(liar.id()), victim, wall_now());
        auto promoted = t.certificate_for(liar.id());
        promoted.may_admit = true;  // its own idea
        auto by_itself = admission::revoke(liar.keys(), promoted, victim, wall_now());
        auto tomorrow = admission::revoke(t.root_, victim, wall_now() + 24 * 3600);
        std::string list;
        for (const auto& one : {unsigned_one, of_another_mesh, renamed, by_a_worker, by_itself, tomorrow}) {
            list += "\"" + wire::to_base64url(admission::encode(one)) + "\",";
            auto alone = R"({"type":"revocations","list":[")" + wire::to_base64url(admission::encode(one)) + R"("]})";
            auto stream = co_await liar.open(std::move(alone));
            auto end = co_await stream.receive(transport::soon());
            EXPECT_FALSE(end);
        }
        const std::string all = co_await liar.ask(R"({"type":"revocations","list":[)" + list + R"("garbage",7,null]})");
        EXPECT_EQ(all, "");
        co_await aio::pause(300ms);
        for (const auto* one : {t.a_, t.b_}) {
            EXPECT_TRUE(one->kept.empty());
            EXPECT_TRUE(one->life->revocations().empty());
        }
        EXPECT_TRUE(liar.is_open());
    });
}

// Floods.

TEST_F(hostile_members, FiftyThousandTinyStreamsHoldUpNobody) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node flood(t);
        co_await flood.enter(*t.a_);
        co_await aio::pause(100ms);
        const auto before = t.a_->life->running_tasks();
        const auto starts = tiny_starts();
        constexpr int streams = 50'000;
        for (int i = 0; i < streams; ++i) {
            auto opened = co_await flood.open_with(starts[static_cast<std::size_t>(i) % starts.size()]);
            EXPECT_NE(opened, nullptr);
            if (i % 2 == 0 && opened) {
                opened->finish();
            }
            if (i % 5'000 == 0) {
                co_await t.expect_served();
            }
        }
        EXPECT_TRUE(flood.is_open());
        co_await t.until([&] { return t.a_->life->running_tasks() <= before; });
    });
}

TEST_F(hostile_members, WhoNeverReadsItsStatusHoldsUpNobody) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        t.a_->status.models.resize(max_told_models);
        for (told_model& one : t.a_->status.models) {
            one.info.id = std::string(500, 'm');
        }
        raw_node deaf(t);
        co_await deaf.enter(*t.a_);
        std::vector<transport::message_stream> unread;
        for (int i = 0; i < 1'000; ++i) {
            auto stream = co_await deaf.open(R"({"type":"status"})");
            unread.push_back(std::move(stream));
        }
        for (int i = 0; i < 20; ++i) {
            t.a_->status.models[0].load.busy = i;
            t.a_->life->status_changed();
            co_await aio::pause(30ms);
        }
        co_await t.expect_served();
        EXPECT_LE(t.a_->life->running_tasks(), 100U) << "one that asks again and again is told a few times at once";
        EXPECT_TRUE(deaf.is_open());
        deaf.link().close("enough");
        co_await t.until([&] { return t.a_->life->running_tasks() <= 20; });
    });
}

TEST_F(hostile_members, RequestsThatNeverArriveWholeAreFewAtATime) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node stalling(t);
        co_await stalling.enter(*t.a_);
        std::vector<std::unique_ptr<transport::stream>> begun;
        wire::bytes start{0, 0xFF, 0, 0};  // nearly 16 MiB are to come
        start.resize(10'000, 'x');
        for (int i = 0; i < 900; ++i) {
            auto opened = co_await stalling.open_with(start);
            begun.push_back(std::move(opened));
        }
        co_await t.expect_served();
        EXPECT_LE(t.a_->life->running_tasks(), 100U);
        begun.clear();
        const std::string answer = co_await stalling.ask(R"({"type":"prompt"})");
        EXPECT_EQ(answer, R"(you said {"type":"prompt"})");
    });
}

TEST_F(hostile_members, OversizedAndTruncatedFramesEndTheirStreamAndNothingElse) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node clumsy(t);
        co_await clumsy.enter(*t.a_);
        wire::bytes giant{0xFF, 0xFF, 0xFF, 0xFF};
        giant.resize(5'000, 'x');
        wire::bytes giant_gossip = wire::framed(R"({"type":"gossip"})");
        giant_gossip.insert(giant_gossip.end(), {0x00, 0xF0, 0x00, 0x00});
        const wire::bytes truncated = half_a_frame();
        const std::vector<wire::bytes> all{giant, giant_gossip, truncated};
        for (const wire::bytes& what : all) {
            auto opened = co_await clumsy.open_with(what);
            if (what == truncated) {
                opened->finish();
            }
            transport::bytes part(100);
            auto got = co_await opened->read_some(part, transport::soon());
            EXPECT_TRUE(!got || *got == 0) << "the stream ends";
            EXPECT_TRUE(got || got.error() == transport::errc::reset);
        }
        const std::string answer = co_await clumsy.ask(R"({"type":"prompt"})");
        EXPECT_EQ(answer, R"(you said {"type":"prompt"})");
    });
}

TEST_F(hostile_members, AMemberThatDropsOurStreamsIsAskedAgainAndNotAllTheTime) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node rude(t);
        co_await rude.enter(*t.a_);
        co_await rude.introduce();
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < 3; ++i) {
            auto dropped = co_await rude.accept("status");
        }
        EXPECT_GT(std::chrono::steady_clock::now() - begun, 1500ms);
        auto stream = co_await rude.accept("status");
        auto told = co_await stream.send(R"({"type":"status_response","models":[{"id":"m"}]})", transport::soon());
        EXPECT_TRUE(told);
        co_await t.until([&] {
            const auto seen = view_of(*t.a_, rude.id());
            return seen && seen->status && seen->status->models.size() == 1;
        });
    });
}

TEST_F(hostile_members, AHundredThousandGarbageDatagramsHoldUpNobody) {
    run_attack([](hostile_members& t) -> awaitable<void> {
        raw_node flood(t);
        co_await flood.enter(*t.a_);
        co_await flood.introduce();
        transport::bytes garbage(transport::max_datagram_bytes);
        std::uint32_t state = 12345;
        for (int i = 0; i < 100'000; ++i) {
            for (std::size_t k = 0; k < garbage.size(); k += 7) {
                state = state * 1664525U + 1013904223U;
                garbage[k] = static_cast<std::uint8_t>(state >> 24U);
            }
            garbage[0] = static_cast<std::uint8_t>(i % 12);
            EXPECT_TRUE(flood.link().send_datagram(garbage));
            if (i % 200 == 0) {
                co_await aio::pause(0ms);
            }
            if (i % 20'000 == 0) {
                co_await t.expect_served();
            }
        }
        EXPECT_TRUE(flood.is_open());
    });
}

}  // namespace starling::peers

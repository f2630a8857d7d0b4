#include "admission/admission.hpp"

#include <gtest/gtest.h>

namespace starling::admission {

constexpr unix_time_s now = 1'800'000'000;
constexpr unix_time_s day = 86'400;

class mesh_of_one : public testing::Test {
  protected:
    certificate for_member(const node_id& subject) const {
        certificate what;
        what.subject = subject;
        what.role = role::worker;
        what.issued_s = now;
        what.expires_s = now + day;
        return what;
    }
    certificate delegate_certificate() const {
        auto what = for_member(delegate_.id());
        what.may_admit = true;
        return issue(root_, what);
    }
    result<void> check_now(const certificate& of) const { return check(of, root_.id(), now, revoked_); }

    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair delegate_ = keys::key_pair::generate();
    keys::key_pair member_ = keys::key_pair::generate();
    revocation_list revoked_{root_.id()};
};

TEST_F(mesh_of_one, TheRootAndItsDelegatesAdmit) {
    EXPECT_TRUE(check_now(issue(root_, for_member(member_.id()))));
    EXPECT_TRUE(check_now(delegate_certificate()));
    EXPECT_TRUE(check_now(issue(delegate_, delegate_certificate(), for_member(member_.id()))));
}

TEST_F(mesh_of_one, NobodyElseAdmits) {
    const auto stranger = keys::key_pair::generate();
    auto self_made = issue(stranger, for_member(member_.id()));
    EXPECT_TRUE(check_now(self_made).error() == errc::wrong_mesh);
    self_made.mesh = root_.id();
    EXPECT_TRUE(check_now(self_made).error() == errc::forged);

    const auto plain = issue(root_, for_member(member_.id()));
    const auto by_a_member = issue(member_, plain, for_member(stranger.id()));
    EXPECT_TRUE(check_now(by_a_member).error() == errc::not_allowed);

    auto ambitious = for_member(member_.id());
    ambitious.may_admit = true;
    EXPECT_TRUE(check_now(issue(delegate_, delegate_certificate(), ambitious)).error() == errc::not_allowed)
        << "a delegate makes no delegates";

    auto chain = issue(delegate_, delegate_certificate(), for_member(member_.id()));
    chain.issuer_certificate = std::make_shared<const certificate>(issue(root_, for_member(member_.id())));
    EXPECT_TRUE(check_now(chain).error() == errc::forged) << "the chain is somebody else's";
}

TEST_F(mesh_of_one, EveryFieldIsSigned) {
    const auto good = issue(root_, for_member(member_.id()));
    const auto changed = [&](auto change) {
        auto other = good;
        change(other);
        return check_now(other).error() == errc::forged;
    };
    EXPECT_TRUE(changed([](certificate& c) { c.subject.bytes[0] ^= 1; }));
    EXPECT_TRUE(changed([](certificate& c) { c.role = role::client; }));
    EXPECT_TRUE(changed([](certificate& c) { c.may_admit = true; }));
    EXPECT_TRUE(changed([](certificate& c) { c.issued_s -= 1; }));
    EXPECT_TRUE(changed([](certificate& c) { c.expires_s += 1; }));
    EXPECT_TRUE(changed([](certificate& c) { c.signature[0] ^= 1; }));
}

TEST_F(mesh_of_one, TimeDecides) {
    const auto good = issue(root_, for_member(member_.id()));
    EXPECT_TRUE(check(good, root_.id(), now + day, revoked_));
    EXPECT_TRUE(check(good, root_.id(), now + day + clock_skew_s + 1, revoked_).error() == errc::expired);
    EXPECT_TRUE(check(good, root_.id(), now - clock_skew_s, revoked_));
    EXPECT_TRUE(check(good, root_.id(), now - clock_skew_s - 1, revoked_).error() == errc::not_yet_valid);
    // A member is out when its delegate's time is over.
    auto longer = for_member(member_.id());
    longer.expires_s = now + 10 * day;
    const auto chained = issue(delegate_, delegate_certificate(), longer);
    EXPECT_TRUE(check(chained, root_.id(), now + 2 * day, revoked_).error() == errc::expired);
}

TEST_F(mesh_of_one, CertificatesGoOverTheWireWholeOrNotAtAll) {
    for (const auto& sent :
         {issue(root_, for_member(member_.id())), issue(delegate_, delegate_certificate(), for_member(member_.id()))}) {
        const auto wire = encode(sent);
        EXPECT_LE(wire.size(), max_certificate_bytes);
        const auto got = parse_certificate(wire);
        ASSERT_TRUE(got);
        EXPECT_TRUE(check_now(*got));
        EXPECT_EQ(encode(*got), wire);
        for (std::size_t size = 0; size < wire.size(); ++size) {
            EXPECT_FALSE(parse_certificate(std::span(wire).first(size))) << size;
        }
        auto longer = wire;
        longer.push_back(0);
        EXPECT_FALSE(parse_certificate(longer));
        for (std::size_t i = 0; i < wire.size(); ++i) {
            auto other = wire;
            other[i] ^= 0x10;
            const auto read = parse_certificate(other);
            EXPECT_FALSE(read && check_now(*read)) << i;
        }
    }
}

TEST_F(mesh_of_one, ARevokedMemberIsOutUntilItIsAdmittedAnew) {
    const auto good = issue(root_, for_member(member_.id()));
    const auto sent = revoke(root_, member_.id(), now + 10);
    const auto heard = parse_revocation(encode(sent));
    ASSERT_TRUE(heard);
    EXPECT_TRUE(*revoked_.add(*heard, now + 10));
    EXPECT_FALSE(*revoked_.add(*heard, now + 10)) << "nothing new";
    EXPECT_TRUE(check_now(good).error() == errc::revoked);
    auto later = for_member(member_.id());
    later.issued_s = revoked_.issue_time(member_.id(), now + 10);
    EXPECT_TRUE(check_now(issue(root_, later))) << "in the same second";
    EXPECT_EQ(revoked_.issue_time(member_.id(), now + 20), now + 20);
    EXPECT_EQ(revoked_.issue_time(root_.id(), now), now);
    EXPECT_EQ(revoked_.all().size(), 1U);
}

TEST_F(mesh_of_one, WhoeverADelegateAdmittedGoesWithIt) {
    const auto member = issue(delegate_, delegate_certificate(), for_member(member_.id()));
    EXPECT_TRUE(revoked_.add(revoke(root_, delegate_.id(), now), now));
    EXPECT_TRUE(check_now(member).error() == errc::revoked);
}

TEST_F(mesh_of_one, OnlyWhoMayAdmitMayRevoke) {
    const auto plain = issue(root_, for_member(member_.id()));
    EXPECT_TRUE(revoked_.add(revoke(member_, plain, delegate_.id(), now), now).error() == errc::not_allowed);
    EXPECT_TRUE(revoked_.add(revoke(delegate_, delegate_certificate(), member_.id(), now), now));
    const auto stranger = keys::key_pair::generate();
    auto forged = revoke(root_, delegate_.id(), now);
    forged.subject = stranger.id();
    EXPECT_TRUE(revoked_.add(forged, now).error() == errc::forged);
    EXPECT_TRUE(revoked_.add(revoke(stranger, delegate_.id(), now), now).error() == errc::wrong_mesh);
    EXPECT_FALSE(revoked_.add(revoke(root_, delegate_.id(), now + 2 * clock_skew_s), now)) << "from the future";
}

invite some_invite(const keys::key_pair& root, const keys::key_pair& inviter) {
    invite out{.mesh = root.id(), .inviter = inviter.id(), .role = role::worker, .expires_s = now + day};
    out.secret.fill(0x5a);
    out.addresses = {"192.0.2.7:9338", "[2001:db8::1]:9338"};
    return out;
}

TEST_F(mesh_of_one, AnInviteIsOneWordThatCanBeCopied) {
    const auto sent = some_invite(root_, member_);
    const auto text = to_text(sent);
    EXPECT_TRUE(text.starts_with("starling:"));
    EXPECT_LT(text.size(), 256U);
    EXPECT_EQ(text.find_first_of(" \n+/="), std::string::npos);
    const auto got = parse_invite("\n  " + text + " \n");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->mesh, sent.mesh);
    EXPECT_EQ(got->inviter, sent.inviter);
    EXPECT_EQ(got->role, sent.role);
    EXPECT_EQ(got->expires_s, sent.expires_s);
    EXPECT_EQ(got->secret, sent.secret);
    EXPECT_EQ(got->addresses, sent.addresses);
}

TEST_F(mesh_of_one, ASlipOfTheHandIsNoticed) {
    const auto text = to_text(some_invite(root_, member_));
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(parse_invite(text.substr(0, size))) << size;
    }
    for (std::size_t i = 9; i < text.size(); ++i) {
        auto other = text;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(parse_invite(other)) << i;
    }
    EXPECT_FALSE(parse_invite(""));
    EXPECT_FALSE(parse_invite("hello"));
    EXPECT_FALSE(parse_invite("starling:" + std::string(5'000, 'A')));
}

TEST_F(mesh_of_one, AnInviteLetsOneMachineInOnce) {
    const auto written = some_invite(root_, member_);
    const auto other = keys::key_pair::generate();
    invite_book book;
    ASSERT_TRUE(book.add(written, now));
    EXPECT_EQ(book.redeem(written.secret, delegate_.id(), now)->role, role::worker);
    EXPECT_EQ(book.redeem(written.secret, delegate_.id(), now + 1)->role, role::worker)
        << "the answer was lost on its way";
    EXPECT_TRUE(book.redeem(written.secret, other.id(), now + 1).error() == errc::used);
    auto guess = written.secret;
    guess[0] ^= 1;
    EXPECT_TRUE(book.redeem(guess, other.id(), now).error() == errc::unknown_invite);
}

TEST_F(mesh_of_one, WhoIsForgottenIsNotLetInAgainByItsOldInvite) {
    const auto used = some_invite(root_, member_);
    auto unused = used;
    unused.secret[0] ^= 1;
    const auto other = keys::key_pair::generate();
    invite_book book;
    ASSERT_TRUE(book.add(used, now));
    ASSERT_TRUE(book.add(unused, now));
    ASSERT_TRUE(book.redeem(used.secret, delegate_.id(), now));
    book.forget(delegate_.id());
    EXPECT_TRUE(book.redeem(used.secret, delegate_.id(), now).error() == errc::unknown_invite);
    EXPECT_TRUE(book.redeem(unused.secret, other.id(), now));
}

TEST_F(mesh_of_one, AnInviteExpires) {
    const auto written = some_invite(root_, member_);
    invite_book book;
    ASSERT_TRUE(book.add(written, now));
    EXPECT_TRUE(book.redeem(written.secret, delegate_.id(), written.expires_s + 1).error() == errc::expired);
    auto next = written;
    next.secret[0] ^= 1;
    next.expires_s = now + 3 * day;
    ASSERT_TRUE(book.add(next, now + 2 * day));
    EXPECT_EQ(book.entries().size(), 1U) << "what has expired is forgotten";
}

TEST_F(mesh_of_one, WhoWasPutOutCannotUseItsInviteAgain) {
    const auto written = some_invite(root_, member_);
    invite_book book;
    ASSERT_TRUE(book.add(written, now));
    ASSERT_TRUE(book.redeem(written.secret, delegate_.id(), now));
    book.forget(delegate_.id());
    EXPECT_TRUE(book.redeem(written.secret, delegate_.id(), now).error() == errc::unknown_invite);
}

TEST_F(mesh_of_one, TheBookKnowsWhoseInvitesMakeDelegates) {
    auto written = some_invite(root_, member_);
    written.may_admit = true;
    invite_book book;
    ASSERT_TRUE(book.add(written, now));
    auto again = parse_invite_book(encode(book));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->redeem(written.secret, delegate_.id(), now)->may_admit);
}

TEST_F(mesh_of_one, TheBookOutlivesARestartAndHoldsNoSecret) {
    const auto written = some_invite(root_, member_);
    invite_book book;
    ASSERT_TRUE(book.add(written, now));
    ASSERT_TRUE(book.redeem(written.secret, delegate_.id(), now));
    const auto kept = encode(book);
    EXPECT_EQ(std::search(kept.begin(), kept.end(), written.secret.begin(), written.secret.end()), kept.end());
    auto again = parse_invite_book(kept);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->redeem(written.secret, member_.id(), now).error() == errc::used);
    for (std::size_t size = 0; size < kept.size(); ++size) {
        EXPECT_FALSE(parse_invite_book(std::span(kept).first(size))) << size;
    }
}

TEST_F(mesh_of_one, TheBookIsBounded) {
    invite_book book;
    auto written = some_invite(root_, member_);
    for (std::size_t i = 0; i < max_open_invites; ++i) {
        ASSERT_TRUE(book.add(written, now));
    }
    EXPECT_TRUE(book.add(written, now).error() == errc::full);
}

}  // namespace starling::admission

#include "peers/member_record.hpp"

#include "membership/limits.hpp"
#include "wire/errc.hpp"

#include <gtest/gtest.h>

namespace starling::peers {

using admission::errc;

constexpr admission::unix_time_s now = 1'800'000'000;

class member_record_test : public testing::Test {
  protected:
    admission::certificate certificate() const {
        admission::certificate what;
        what.subject = member_.id();
        what.role = admission::role::worker;
        what.issued_s = now;
        what.expires_s = now + 1'000;
        return admission::issue(root_, what);
    }

    description said() const {
        return {.name = "Küchen-PC",
                .software = "0.1.0",
                .addresses = {"192.0.2.7:9338", "[2001:db8::1]:9338"},
                .certificate = certificate()};
    }

    membership::record signed_record(const description& what, const keys::key_pair& by) const {
        membership::record out{.id = member_.id(), .incarnation = 7};
        out.payload = encode(what);
        out.signature = make_signer(by)(out);
        return out;
    }

    result<description> verify_now(const membership::record& heard) const {
        return verify(heard, root_.id(), now, revoked_);
    }

    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair member_ = keys::key_pair::generate();
    admission::revocation_list revoked_{root_.id()};
};

TEST_F(member_record_test, WhatAMemberSaysArrives) {
    const auto heard = verify_now(signed_record(said(), member_));
    ASSERT_TRUE(heard) << heard.error().message;
    EXPECT_EQ(heard->name, "Küchen-PC");
    EXPECT_EQ(heard->software, "0.1.0");
    EXPECT_EQ(heard->addresses, said().addresses);
    EXPECT_EQ(heard->certificate.role, admission::role::worker);
}

TEST_F(member_record_test, NobodyElseSpeaksForIt) {
    EXPECT_TRUE(verify_now(signed_record(said(), keys::key_pair::generate())).error() == errc::forged);
    auto other = signed_record(said(), member_);
    other.incarnation = 1'000'000;
    EXPECT_TRUE(verify_now(other).error() == errc::forged) << "a forged incarnation";
    other = signed_record(said(), member_);
    other.kind = membership::record_kind::left;
    EXPECT_TRUE(verify_now(other).error() == errc::forged) << "a forged farewell";
    other = signed_record(said(), member_);
    other.id = keys::key_pair::generate().id();
    EXPECT_TRUE(verify_now(other).error() == errc::forged);
    other = signed_record(said(), member_);
    other.payload.back() ^= std::byte{1};
    EXPECT_FALSE(verify_now(other));
    other = signed_record(said(), member_);
    other.signature.pop_back();
    EXPECT_TRUE(verify_now(other).error() == errc::forged);
}

TEST_F(member_record_test, WhoIsNoMemberIsNotHeard) {
    const auto record = signed_record(said(), member_);
    EXPECT_TRUE(verify(record, keys::key_pair::generate().id(), now, revoked_).error() == errc::wrong_mesh);
    EXPECT_TRUE(verify(record, root_.id(), now + 10'000, revoked_).error() == errc::expired);
    auto revoked = revoked_;
    ASSERT_TRUE(revoked.add(admission::revoke(root_, member_.id(), now), now));
    EXPECT_TRUE(verify(record, root_.id(), now, revoked).error() == errc::revoked);
}

TEST_F(member_record_test, ALongStoryIsCutToWhatFits) {
    auto what = said();
    what.name = std::string(63, 'n') + "ü" + std::string(200, 'n');
    what.software = std::string(300, '1');
    what.addresses.assign(20, std::string(64, 'a'));
    const auto delegate = keys::key_pair::generate();
    admission::certificate may;
    may.subject = delegate.id();
    may.may_admit = true;
    may.issued_s = now;
    may.expires_s = now + 1'000;
    what.certificate = admission::issue(delegate, admission::issue(root_, may), what.certificate);
    const auto payload = encode(what);
    EXPECT_LE(payload.size(), membership::max_payload_bytes);
    const auto read = parse_description(payload);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, std::string(63, 'n')) << "no half characters";
    what.addresses = {"192.0.2.7:9338"};
    const auto short_of_addresses = parse_description(encode(what));
    ASSERT_TRUE(short_of_addresses);
    EXPECT_EQ(short_of_addresses->addresses, what.addresses) << "one ordinary address fits beside the longest rest";
}

TEST_F(member_record_test, EveryTruncationIsMalformed) {
    const auto payload = encode(said());
    for (std::size_t size = 0; size < payload.size(); ++size) {
        EXPECT_FALSE(parse_description(std::span(payload).first(size))) << size;
    }
}

}  // namespace starling::peers

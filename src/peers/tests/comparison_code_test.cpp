#include "peers/comparison_code.hpp"

#include "keys/keys.hpp"

#include <gtest/gtest.h>

#include <set>

namespace starling::peers {

class comparison_code_test : public testing::Test {
  public:
    introduction_pair who_{.newcomer = keys::key_pair::generate().id(), .member = keys::key_pair::generate().id()};
    node_id mesh_ = keys::key_pair::generate().id();
};

TEST_F(comparison_code_test, IsSixDigits) {
    std::set<std::string> seen;
    for (int i = 0; i < 2'000; ++i) {
        nonce a{};
        keys::fill_random(a);
        const auto code = comparison_code(who_, mesh_, a, {});
        EXPECT_EQ(code.size(), 7U);
        EXPECT_EQ(code[3], ' ');
        EXPECT_EQ(digits_of(code).size(), 6U);
        seen.insert(code);
    }
    EXPECT_GT(seen.size(), 1'980U);
}

TEST_F(comparison_code_test, CoversEverything) {
    const nonce a{1};
    const nonce b{2};
    const auto code = comparison_code(who_, mesh_, a, b);
    EXPECT_EQ(code, comparison_code(who_, mesh_, a, b));
    EXPECT_NE(code, comparison_code(who_, mesh_, b, a));
    EXPECT_NE(code, comparison_code({.newcomer = who_.member, .member = who_.newcomer}, mesh_, a, b));
    EXPECT_NE(code, comparison_code(who_, who_.member, a, b));
}

TEST_F(comparison_code_test, ACommitmentIsOfOneNumberBetweenTwoNodes) {
    const nonce a{1};
    EXPECT_EQ(commit_to(a, who_), commit_to(a, who_));
    EXPECT_NE(commit_to(a, who_), commit_to(nonce{2}, who_));
    EXPECT_NE(commit_to(a, who_), commit_to(a, {.newcomer = mesh_, .member = who_.member}));
    EXPECT_NE(commit_to(a, who_), commit_to(a, {.newcomer = who_.newcomer, .member = mesh_}));
}

TEST_F(comparison_code_test, IsTypedAnyHow) {
    EXPECT_EQ(digits_of("482 913"), "482913");
    EXPECT_EQ(digits_of(" 482-913\n"), "482913");
    EXPECT_EQ(digits_of("yes"), "");
}

}  // namespace starling::peers

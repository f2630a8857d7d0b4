#include "llama/grammar_limits.hpp"

#include "engine/errc.hpp"

#include <gtest/gtest.h>

#include <string>

namespace starling::llama {

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

TEST(GrammarLimits, WhatPeopleWriteIsTaken) {
    for (const std::string& grammar :
         {std::string(R"(root ::= "yes" | "no")"), std::string(R"(root ::= [a-z]{1,40} ("," ws [a-z]+){0,500})"),
          std::string("root ::= item{3}\nitem ::= \"}{5,3}\" # {5,3}\n"),
          std::string("root ::= [{5,3}]* \"\\\"{5,3}\""), "root ::= " + repeated("(", 64) + "\"a\"" + repeated(")", 64),
          std::string(R"(root ::= "a"{ 3 , 5 } "b"{2,})")}) {
        EXPECT_TRUE(check_grammar(grammar)) << grammar;
    }
}

TEST(GrammarLimits, ARangeThatCountsDownIsRefused) {
    const auto checked = check_grammar(R"(root ::= "a"{5,3})");
    ASSERT_FALSE(checked);
    EXPECT_TRUE(checked.error() == engine::errc::invalid_request);
    EXPECT_NE(checked.error().message.find("at least 5 and at most 3"), std::string::npos) << checked.error().message;
    EXPECT_FALSE(check_grammar("root ::= x{ 2,\n1 }"));
}

TEST(GrammarLimits, WhatGrowsTooLargeIsRefused) {
    EXPECT_FALSE(check_grammar("root ::= \"" + repeated("a", 60'000) + "\"{2000}"));
    EXPECT_FALSE(check_grammar("root ::= " + repeated("\"abcdefgh\"{2000} ", 100)));
    EXPECT_FALSE(check_grammar("root ::= \"a\"" + repeated("{100}", 8)));
    EXPECT_FALSE(check_grammar("root ::= \"a\"{0,99999999999999999999999}"));
    EXPECT_FALSE(check_grammar("root ::= " + repeated("(", 65) + "\"a\""));
    EXPECT_FALSE(check_grammar(repeated("a ::= b\n", 5'001)));
}

TEST(GrammarLimits, TextThatIsNoGrammarIsLeftToTheParser) {
    for (const char* text : {"", "{", "{,", "{5", "{5,", "\"", "[", "[\\", ")))", "#", "::=", "*"}) {
        EXPECT_TRUE(check_grammar(text)) << text;
    }
}

}  // namespace starling::llama

#include "base/shown_name.hpp"

#include <gtest/gtest.h>

namespace starling {

TEST(ShownName, LeavesNamesAsTheyAre) {
    EXPECT_EQ(shown_name("kitchen", 64), "kitchen");
    EXPECT_EQ(shown_name("Küche 台所 🍳", 64), "Küche 台所 🍳");
    EXPECT_EQ(shown_name("", 64), "");
}

TEST(ShownName, NothingSteersATerminal) {
    EXPECT_EQ(shown_name("a\x1b[2Jb\nc\x7f", 64), "a?[2Jb?c?");
    EXPECT_EQ(shown_name("a\xc2\x9b"
                         "b",
                         64),
              "a?b");  // C1: CSI
    EXPECT_EQ(shown_name("a\xe2\x80\xae"
                         "b",
                         64),
              "a?b");  // right-to-left override
    EXPECT_EQ(shown_name(std::string_view("a\0b", 3), 64), "a?b");
}

TEST(ShownName, WhatIsNoUtf8IsMarked) {
    EXPECT_EQ(shown_name("a\xff"
                         "b",
                         64),
              "a?b");
    EXPECT_EQ(shown_name("a\xc0\xaf", 64), "a??");          // overlong
    EXPECT_EQ(shown_name("\xed\xa0\x80", 64), "???");       // a surrogate
    EXPECT_EQ(shown_name("\xf4\x90\x80\x80", 64), "????");  // beyond U+10FFFF
    EXPECT_EQ(shown_name("a\xe5\x8f", 64), "a??");          // cut short
}

TEST(ShownName, IsCutBetweenCharacters) {
    EXPECT_EQ(shown_name("abc", 2), "ab");
    EXPECT_EQ(shown_name("a台b", 3), "a");
    EXPECT_EQ(shown_name("a台b", 4), "a台");
}

}  // namespace starling

#include "engine/text_gate.hpp"

#include <gtest/gtest.h>

namespace starling::engine {
namespace {

TEST(TextGate, ReleasesPlainTextAtOnce) {
    text_gate gate;
    EXPECT_EQ(gate.push("Hello"), "Hello");
    EXPECT_EQ(gate.push(", world"), ", world");
    EXPECT_EQ(gate.flush(), "");
}

TEST(TextGate, HoldsBackAnUnfinishedCharacter) {
    text_gate gate;
    EXPECT_EQ(gate.push("caf\xC3"), "caf");
    EXPECT_EQ(gate.push("\xA9!"), "\xC3\xA9!");
    EXPECT_EQ(gate.push("\xF0\x9F\x98"), "");
    EXPECT_EQ(gate.push("\x80"), "\xF0\x9F\x98\x80");
}

TEST(TextGate, ReplacesBytesThatAreNoText) {
    text_gate gate;
    EXPECT_EQ(gate.push("a\xFF"
                        "b"),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(gate.push("\xC3"), "");
    EXPECT_EQ(gate.flush(), "\xEF\xBF\xBD");
    EXPECT_EQ(as_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
    EXPECT_EQ(as_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // an overlong slash
}

TEST(TextGate, StopsAtTheFirstStopString) {
    text_gate gate({"END", "STOP"});
    EXPECT_EQ(gate.push("one ST"), "one ");
    EXPECT_EQ(gate.push("AR"), "STAR");
    EXPECT_EQ(gate.push(" STO"), " ");
    EXPECT_EQ(gate.push("P two END"), "");
    EXPECT_TRUE(gate.stopped());
    EXPECT_EQ(gate.push("more"), "");
    EXPECT_EQ(gate.flush(), "");
}

TEST(TextGate, ShowsWhatWasHeldWhenTheAnswerEnds) {
    text_gate gate({"\n\nUser:"});
    EXPECT_EQ(gate.push("bye\n\nUs"), "bye");
    EXPECT_EQ(gate.flush(), "\n\nUs");
}

TEST(TextGate, GivesTheSameTextHoweverTheBytesAreCut) {
    const std::string bytes = "na\xC3\xAFve \xF0\x9F\x90\xA6 sings STOx and \xE2\x82\xAC then STOP never";
    for (std::size_t step = 1; step <= 7; ++step) {
        text_gate gate({"STOP"});
        std::string text;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            text += gate.push(std::string_view(bytes).substr(at, step));
        }
        text += gate.flush();
        EXPECT_EQ(text, "na\xC3\xAFve \xF0\x9F\x90\xA6 sings STOx and \xE2\x82\xAC then ") << step;
    }
}

}  // namespace
}  // namespace starling::engine

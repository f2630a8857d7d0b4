#include "upstream/sse_parser.hpp"

#include <gtest/gtest.h>

namespace starling::upstream {
namespace {

std::vector<sse_event> parse_in_pieces(std::string_view text, std::size_t piece) {
    sse_parser parser;
    std::vector<sse_event> out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        EXPECT_TRUE(parser.feed(text.substr(at, piece), out));
    }
    parser.finish(out);
    return out;
}

TEST(sse_parser, every_cut_gives_the_same_events) {
    const std::string_view text =
        "\xEF\xBB\xBF"
        "data: one\n\n: a comment\r\nevent: named\r\ndata: two\r\ndata:lines\r\n\r\nid: 7\nretry: 5\n\ndata\n\ndata:  "
        "spaced\r\rdata: [DONE]\n\n";
    const auto whole = parse_in_pieces(text, text.size());
    ASSERT_EQ(whole.size(), 5U);
    EXPECT_EQ(whole[0].data, "one");
    EXPECT_EQ(whole[1].name, "named");
    EXPECT_EQ(whole[1].data, "two\nlines");
    EXPECT_EQ(whole[2].data, "");
    EXPECT_EQ(whole[3].data, " spaced");
    EXPECT_EQ(whole[3].name, "");
    EXPECT_EQ(whole[4].data, "[DONE]");
    for (std::size_t piece = 1; piece < text.size(); ++piece) {
        const auto cut = parse_in_pieces(text, piece);
        ASSERT_EQ(cut.size(), whole.size()) << "pieces of " << piece;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            EXPECT_EQ(cut[i].data, whole[i].data) << "pieces of " << piece;
            EXPECT_EQ(cut[i].name, whole[i].name) << "pieces of " << piece;
        }
    }
}

TEST(sse_parser, the_last_event_needs_no_empty_line) {
    EXPECT_EQ(parse_in_pieces("data: last", 100).size(), 1U);
    EXPECT_EQ(parse_in_pieces("data: last\n", 100).size(), 1U);
    EXPECT_TRUE(parse_in_pieces("event: nothing\n", 100).empty());
}

TEST(sse_parser, a_line_that_never_ends_is_refused) {
    sse_parser parser;
    std::vector<sse_event> out;
    ASSERT_TRUE(parser.feed("data: ", out));
    const std::string piece(1024 * 1024, 'x');
    result<void> fed;
    int pieces = 0;
    while ((fed = parser.feed(piece, out)) && pieces < 100) {
        ++pieces;
    }
    ASSERT_FALSE(fed);
    EXPECT_TRUE(fed.error() == engine::errc::upstream_error);
    EXPECT_LE(pieces, 4);
}

TEST(sse_parser, many_lines_of_one_event_are_bounded_too) {
    sse_parser parser;
    std::vector<sse_event> out;
    const std::string line = "data: " + std::string(1000, 'x') + "\n";
    result<void> fed;
    int lines = 0;
    while ((fed = parser.feed(line, out)) && lines < 10'000) {
        ++lines;
    }
    EXPECT_FALSE(fed);
}

}  // namespace
}  // namespace starling::upstream

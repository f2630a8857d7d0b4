// QR codes: the drawing is read back and compared with what the library made, and with what every code has.
#include "qr_code.hpp"

#include <gtest/gtest.h>
#include <qrencode.h>

#include <memory>

namespace starling::cli::test {
namespace {

const std::string invite = "starling:" + std::string(150, 'x') + "0123456789_-";

/// What a camera sees: a square of modules, true for dark, quiet zone and all. `plain` drawings alone.
std::vector<std::vector<bool>> seen(std::string_view drawing) {
    std::vector<std::vector<bool>> out;
    while (!drawing.empty()) {
        const std::string_view line = drawing.substr(0, drawing.find('\n'));
        drawing.remove_prefix(line.size() + 1);
        std::vector<bool> above;
        std::vector<bool> below;
        for (std::size_t i = 0; i < line.size();) {
            const bool space = line[i] == ' ';
            const std::string_view block = space ? line.substr(i, 1) : line.substr(i, 3);
            EXPECT_TRUE(space || block == "█" || block == "▀" || block == "▄") << block;
            above.push_back(block != "█" && block != "▀");
            below.push_back(block != "█" && block != "▄");
            i += block.size();
        }
        out.push_back(std::move(above));
        out.push_back(std::move(below));
    }
    out.pop_back();  // an odd number of modules: the last half line is empty
    return out;
}

/// The square in three corners by which a code is found: 7 dark around 5 light around 3 dark.
void expect_finder(const qr_code& code, std::size_t left, std::size_t top) {
    for (std::size_t y = 0; y < 7; ++y) {
        for (std::size_t x = 0; x < 7; ++x) {
            const bool edge = x == 0 || x == 6 || y == 0 || y == 6;
            const bool middle = x >= 2 && x <= 4 && y >= 2 && y <= 4;
            EXPECT_EQ(code.dark(left + x, top + y), edge || middle) << left + x << " " << top + y;
        }
    }
}

TEST(qr_code, has_its_three_finders_and_its_timing_lines) {
    const auto code = qr_code::of(invite);
    ASSERT_TRUE(code);
    EXPECT_EQ(code->size() % 4, 1U);  // 21, 25, 29 …
    expect_finder(*code, 0, 0);
    expect_finder(*code, code->size() - 7, 0);
    expect_finder(*code, 0, code->size() - 7);
    for (std::size_t i = 8; i < code->size() - 8; ++i) {
        EXPECT_EQ(code->dark(i, 6), i % 2 == 0);
        EXPECT_EQ(code->dark(6, i), i % 2 == 0);
    }
}

TEST(qr_code, the_drawing_has_the_modules_of_the_library_and_a_quiet_zone) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> wanted(
        QRcode_encodeString8bit(invite.c_str(), 0, QR_ECLEVEL_L), QRcode_free);
    ASSERT_TRUE(wanted);
    const auto size = static_cast<std::size_t>(wanted->width);
    const auto code = qr_code::of(invite);
    ASSERT_TRUE(code);
    ASSERT_EQ(code->size(), size);

    const auto modules = seen(draw(*code, qr_colours::plain));
    ASSERT_EQ(modules.size(), drawn_columns(*code));
    for (std::size_t y = 0; y < modules.size(); ++y) {
        ASSERT_EQ(modules[y].size(), drawn_columns(*code));
        for (std::size_t x = 0; x < modules[y].size(); ++x) {
            const std::size_t row = y - qr_quiet_zone;  // beyond `size` for what lies before it, too
            const std::size_t column = x - qr_quiet_zone;
            const bool dark = row < size && column < size && (wanted->data[row * size + column] & 1U) != 0;
            ASSERT_EQ(modules[y][x], dark) << x << " " << y;
        }
    }
}

TEST(qr_code, colours_wrap_each_line_and_change_no_character) {
    const auto code = qr_code::of("starling:a");
    ASSERT_TRUE(code);
    std::string coloured = draw(*code, qr_colours::black_and_white);
    for (const std::string_view escape : {"\033[38;5;231;48;5;16m", "\033[0m"}) {
        for (auto at = coloured.find(escape); at != std::string::npos; at = coloured.find(escape)) {
            coloured.erase(at, escape.size());
        }
    }
    EXPECT_EQ(coloured, draw(*code, qr_colours::plain));
}

TEST(qr_code, what_no_code_holds_gives_none) {
    EXPECT_TRUE(qr_code::of(std::string(2'900, 'x')));
    EXPECT_FALSE(qr_code::of(std::string(3'000, 'x')));
    EXPECT_FALSE(qr_code::of(""));
}

}  // namespace
}  // namespace starling::cli::test

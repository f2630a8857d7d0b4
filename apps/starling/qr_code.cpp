#include "qr_code.hpp"

#include <qrencode.h>

#include <memory>

namespace starling::cli {

namespace {

/// The six levels of a terminal's colour cube are fixed, whereas "white" and "black" are whatever its theme makes them.
constexpr std::string_view white_on_black = "\033[38;5;231;48;5;16m";
constexpr std::string_view no_colour = "\033[0m";

struct free_code {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

/// `column` and `row` count from the corner of the quiet zone.
bool light(const qr_code& code, std::size_t column, std::size_t row) {
    const bool inside = column >= qr_quiet_zone && row >= qr_quiet_zone && column < code.size() + qr_quiet_zone &&
                        row < code.size() + qr_quiet_zone;
    return !inside || !code.dark(column - qr_quiet_zone, row - qr_quiet_zone);
}

}  // namespace

std::optional<qr_code> qr_code::of(std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    constexpr int smallest_that_fits = 0;
    const std::unique_ptr<QRcode, free_code> made(QRcode_encodeData(static_cast<int>(text.size()),
                                                                    reinterpret_cast<const unsigned char*>(text.data()),
                                                                    smallest_that_fits, QR_ECLEVEL_L));
    if (!made) {
        return std::nullopt;
    }
    const auto size = static_cast<std::size_t>(made->width);
    std::vector<bool> dark(size * size);
    for (std::size_t i = 0; i < dark.size(); ++i) {
        dark[i] = (made->data[i] & 1U) != 0;  // the other bits say what kind of module it is
    }
    return qr_code(size, std::move(dark));
}

std::size_t drawn_columns(const qr_code& code) {
    return code.size() + 2 * qr_quiet_zone;
}

std::string draw(const qr_code& code, qr_colours colours) {
    const std::size_t columns = drawn_columns(code);
    const std::size_t rows = columns;
    const bool coloured = colours == qr_colours::black_and_white;
    std::string out;
    for (std::size_t row = 0; row < rows; row += 2) {
        out += coloured ? white_on_black : "";
        for (std::size_t column = 0; column < columns; ++column) {
            const bool above = light(code, column, row);
            const bool below = row + 1 < rows && light(code, column, row + 1);  // a code has an odd number of rows
            out += above ? (below ? "█" : "▀") : (below ? "▄" : " ");
        }
        // Reset in each line: a terminal that scrolls fills new lines with the colour that is set.
        out += coloured ? no_colour : "";
        out += '\n';
    }
    return out;
}

}  // namespace starling::cli

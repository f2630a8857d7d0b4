// A text as a QR code (ISO/IEC 18004), drawn with characters for a terminal.
//
// Two modules share a character, one above the other, because characters are about twice as tall as they are wide. The
// light modules are what is drawn (█ ▀ ▄) and the dark ones are left empty, as for light text on a dark ground; with
// `qr_colours::black_and_white` the colours are set, so that it is right on every terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::cli {

class qr_code {
  public:
    /// Nothing for an empty text, and for one that is too long for any QR code (2,953 bytes). Error correction level
    /// L: a screen is clean, and a smaller code is easier to read.
    static std::optional<qr_code> of(std::string_view text);

    /// Modules in a row and in a column, without the quiet zone.
    std::size_t size() const { return size_; }
    bool dark(std::size_t column, std::size_t row) const { return dark_[row * size_ + column]; }

  private:
    qr_code(std::size_t size, std::vector<bool> dark) : size_(size), dark_(std::move(dark)) {}

    std::size_t size_;
    std::vector<bool> dark_;  // rows one after the other
};

/// Light modules around the code: what the standard asks for.
inline constexpr std::size_t qr_quiet_zone = 4;

/// Columns of a terminal that the drawing takes.
std::size_t drawn_columns(const qr_code& code);

enum class qr_colours {
    plain,            // characters alone
    black_and_white,  // with the escape sequences of a terminal
};

/// Lines, each with a line feed at its end.
std::string draw(const qr_code& code, qr_colours colours);

}  // namespace starling::cli

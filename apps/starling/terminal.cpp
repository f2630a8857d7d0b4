#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace starling::cli {

namespace {

constexpr std::string_view erase_line = "\r\033[K";
constexpr int bar_width = 24;

}  // namespace

bool stdin_is_terminal() {
    return ::isatty(STDIN_FILENO) == 1;
}

bool stdout_is_terminal() {
    return ::isatty(STDOUT_FILENO) == 1;
}

bool stderr_is_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

std::optional<std::size_t> stderr_columns() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return std::nullopt;
    }
    return size.ws_col;
}

progress_line::progress_line() : enabled_(stderr_is_terminal()), begun_(std::chrono::steady_clock::now()) {}

progress_line::~progress_line() {
    clear();
}

void progress_line::show(std::string_view what, float fraction, std::string_view detail) {
    const auto now = std::chrono::steady_clock::now();
    if (!enabled_ || now - begun_ < show_after || (last_ && now - *last_ < draw_every)) {
        return;
    }
    last_ = now;
    drawn_ = true;
    const float share = std::clamp(fraction, 0.0F, 1.0F);
    const int full = static_cast<int>(share * static_cast<float>(bar_width));
    std::string bar;
    for (int i = 0; i < bar_width; ++i) {
        bar += i < full ? "█" : "░";
    }
    std::fprintf(stderr, "%s%.*s %s %3d %% %.*s", std::string(erase_line).c_str(), static_cast<int>(what.size()),
                 what.data(), bar.c_str(), static_cast<int>(share * 100.0F), static_cast<int>(detail.size()),
                 detail.data());
    std::fflush(stderr);
}

void progress_line::clear() {
    if (drawn_) {
        std::fputs(std::string(erase_line).c_str(), stderr);
        std::fflush(stderr);
        drawn_ = false;
    }
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
        if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
            ++i;  // U+0080 … U+009F: control characters as well, U+009B begins what ESC [ begins
        } else if ((byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\t') {
            out += text[i];
        }
    }
    return out;
}

std::string printable_line(std::string_view text) {
    std::string out = printable(text);
    std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return out;
}

}  // namespace starling::cli

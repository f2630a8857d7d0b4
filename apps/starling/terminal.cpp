#include "terminal.hpp"

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
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\t') {
            out += c;
        }
    }
    return out;
}

}  // namespace starling::cli

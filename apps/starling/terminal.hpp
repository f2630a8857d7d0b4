// What is written for people: on a terminal with colours and progress, in a pipe plainly.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling::cli {

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();
/// Nothing when it is no terminal, or does not know.
std::optional<std::size_t> stderr_columns();

/// One line on stderr that is drawn over itself. Nothing at all when stderr is no terminal, and nothing before
/// `show_after`, so that what is quick does not flicker.
class progress_line {
  public:
    progress_line();
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    ~progress_line();

    /// `fraction` 0 … 1; `detail` stands behind the bar.
    void show(std::string_view what, float fraction, std::string_view detail = {});
    void clear();

  private:
    static constexpr std::chrono::milliseconds show_after{300};
    static constexpr std::chrono::milliseconds draw_every{100};  // no faster than an eye reads

    bool enabled_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point begun_;
    std::optional<std::chrono::steady_clock::time_point> last_;
};

/// Text for a terminal without the control characters that could take it over; line feeds and tabs stay.
std::string printable(std::string_view text);
/// The same for text that has to stay within its line.
std::string printable_line(std::string_view text);

}  // namespace starling::cli

// A name that another machine has given itself, as it may be shown on a terminal or a page. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace starling {

/// Valid UTF-8 of at most `most` bytes, in one line. What is no UTF-8, and what steers a terminal or turns the
/// direction of text (control characters, bidirectional marks: Unicode TR 36, 3.1), becomes '?'.
std::string shown_name(std::string_view given, std::size_t most);

}  // namespace starling

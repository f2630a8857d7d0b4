#include "base/size_text.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>

namespace starling {

std::string size_text(std::uint64_t bytes) {
    constexpr const char* units[] = {"bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (amount >= 1000 && unit + 1 < std::size(units)) {
        amount /= 1000;
        ++unit;
    }
    return unit == 0 || amount >= 100 ? fmt::format("{:.0f} {}", amount, units[unit])
                                      : fmt::format("{:.1f} {}", amount, units[unit]);
}

}  // namespace starling

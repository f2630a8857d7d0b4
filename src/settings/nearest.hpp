// "Did you mean …?" Pure.
#pragma once

#include <span>
#include <string_view>

namespace starling::settings {

/// The known name that `given` was probably meant to be; empty when nothing is close enough to be helpful.
std::string_view nearest(std::string_view given, std::span<const std::string_view> known);

}  // namespace starling::settings

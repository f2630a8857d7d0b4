// Sizes for people. Pure. Called by: whatever says what something takes.
#pragma once

#include <cstdint>
#include <string>

namespace starling {

/// "1.4 GB", in powers of ten, as disks and downloads are counted.
std::string size_text(std::uint64_t bytes);

}  // namespace starling

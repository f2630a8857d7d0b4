// What the operating system says of this process.
#pragma once

#include <cstdint>

namespace starling::api {

/// Resident memory in bytes; 0 where the system does not tell.
std::uint64_t resident_memory();

}  // namespace starling::api

// A header as the bytes of a file.
#pragma once

#include "gguf/gguf.hpp"

#include <string>

namespace starling::gguf {

/// Gives every tensor its place, one after the other, and the header its sizes. Then what `parse_header` would read as
/// this header, padded to where tensor data begins. errc::corrupt when the file would be larger than one can be.
result<std::string> lay_out(file_header& header);

}  // namespace starling::gguf

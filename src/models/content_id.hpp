// What two nodes compare to know that they serve the same model: one can then go on with an answer that the other has
// begun.
//
// A SHA-256 over the size and the header of the file (its vocabulary, template and every tensor's name, type and shape)
// and over samples of every tensor: 4 KiB each from its start, middle and end. Reading a file of 100 GB whole would
// take minutes at every start; another quantisation or fine-tune of a model differs in its header, or in its tensors
// nearly everywhere. It is not a proof against somebody who makes a file to deceive: members trust each other's answers
// anyway.
#pragma once

#include "base/result.hpp"
#include "models/errc.hpp"

#include <filesystem>
#include <string>

namespace starling::models {

/// 64 hex digits. Reads up to a few tens of MB: call it where that may block. Errors: those of gguf::read_header;
/// errc::io_failed.
result<std::string> content_id(const std::filesystem::path& file);

}  // namespace starling::models

// The `messages` of a chat request. Private to openai.
#pragma once

#include "openai/field_reader.hpp"

#include <vector>

namespace starling::openai {

std::vector<engine::message> read_messages(const field_reader& fields);

}  // namespace starling::openai

// Tools, tool choice and response format of a chat request. Private to openai.
#pragma once

#include "openai/field_reader.hpp"

namespace starling::openai {

/// tools, tool_choice, parallel_tool_calls. Naming one tool in `tool_choice` leaves only that one, and requires it.
void read_tools(const field_reader& fields, engine::chat_prompt& into);

/// response_format.
void read_response_format(const field_reader& fields, engine::chat_prompt& into);

}  // namespace starling::openai

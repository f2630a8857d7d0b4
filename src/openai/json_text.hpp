// JSON written by appending to a string: what the token path needs, without building a tree first. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace starling::openai {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD: a client must be able to
/// parse every answer, whatever a model emits.
void append_json_string(std::string& out, std::string_view text);

/// `null` for an empty text.
void append_json_string_or_null(std::string& out, std::string_view text);

void append_json_int(std::string& out, std::int64_t value);

/// The shortest text that reads back as the same float; null for what JSON cannot say (NaN, infinities).
void append_json_float(std::string& out, float value);

/// [104,101]: the bytes of a token.
void append_json_bytes(std::string& out, std::string_view bytes);

}  // namespace starling::openai

// What a JSON schema may ask for. A schema becomes a grammar, and the work that this takes grows faster than the
// schema: with the square of an object's optional properties, and one stack frame deeper for each `$ref` that leads to
// another. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace starling::openai {

inline constexpr std::size_t max_schema_values = 20'000;       // JSON values in one schema: half a megabyte of text
inline constexpr std::size_t max_schema_properties = 300;      // of one object: a tenth of a second of work
inline constexpr std::size_t max_schema_references = 200;      // `$ref`s: as deep as the stack has to be
inline constexpr std::int64_t max_schema_repetitions = 2'000;  // minItems and the like; llama.cpp takes no more

/// One sentence on why this schema is not taken, beginning with "it"; nothing when it is fine.
std::optional<std::string> schema_fault(const boost::json::object& schema);

}  // namespace starling::openai

// Fields that chat and plain completions share. Private to openai.
#pragma once

#include "openai/field_reader.hpp"
#include "openai/request.hpp"

namespace starling::openai {

/// model, sampling, stop, ignore_eos. `seed` where the request has none.
void read_generation_fields(const field_reader& fields, std::uint64_t seed, engine::generate_request& into);

/// stream, stream_options.
stream_options read_stream_options(const field_reader& fields);

/// n.
std::int32_t read_choices(const field_reader& fields);

/// GBNF text of the `grammar` extension.
void read_grammar(const field_reader& fields, engine::generate_request& into);

/// Token ids of one prompt or input; complaints name `path`.
std::vector<engine::token_id> read_tokens(const json::array& array, const std::string& path, complaints& found);

}  // namespace starling::openai

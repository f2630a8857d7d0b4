// Engine requests -> the JSON bodies of the OpenAI API. Pure.
//
// Settings that OpenAI's own API does not know (top_k, min_p, repeat_penalty, grammar, …) are written only where they
// differ from "off", so that a strict server is not sent what nobody asked for.
#pragma once

#include "engine/types.hpp"

#include <string>
#include <string_view>

namespace starling::upstream {

/// Body of POST /v1/chat/completions for a request whose prompt is a chat_prompt, of POST /v1/completions otherwise;
/// streaming, with usage at the end.
std::string completion_body(const engine::generate_request& request, std::string_view upstream_model);

/// Body of POST /v1/embeddings.
std::string embedding_body(const engine::embed_request& request, std::string_view upstream_model);

}  // namespace starling::upstream

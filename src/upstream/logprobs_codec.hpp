// Token log probabilities <- JSON, in the two forms that the OpenAI API has. Pure.
#pragma once

#include "engine/types.hpp"

#include <boost/json/fwd.hpp>

#include <vector>

namespace starling::upstream {

/// Chat: {"content":[{"token","bytes","logprob","top_logprobs":[…]}]}.
/// Text completion: {"tokens":[…],"token_logprobs":[…],"top_logprobs":[{token: logprob}]}.
/// Fields of another type are left out; ids stay engine::no_token unless the server tells them (llama.cpp's does).
std::vector<engine::emitted_token> parse_logprobs(const boost::json::value& logprobs);

}  // namespace starling::upstream

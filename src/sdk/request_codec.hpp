// A request of the public API -> one of the engine's. Pure.
#pragma once

#include "engine/types.hpp"

#include <starling/chat.hpp>
#include <starling/outcome.hpp>

#include <cstdint>

namespace starling::sdk {

/// `fresh_seed` is for a request that names none. Error: invalid_request, for schemas that are no JSON; everything else
/// is for the node to judge.
outcome<engine::generate_request> to_engine(chat_request request, std::uint64_t fresh_seed);

}  // namespace starling::sdk

// The errors of the public API <- what a node or the network said. Pure.
#pragma once

#include "base/result.hpp"
#include "upstream/answer_codec.hpp"

#include <starling/chat.hpp>
#include <starling/outcome.hpp>

#include <string_view>

namespace starling::sdk {

/// An answer whose status is not 200.
error refused(int status, std::string_view body, const upstream::server_words& node);

/// Nothing came back, or not in time; `why` is an error of fetch or of upstream.
error not_reached(const starling::error& why, const upstream::server_words& node);

/// The answer had begun; `received` is what came of it.
error cut_off(const starling::error& why, const upstream::server_words& node, answer received);

/// There is an answer, but not one of a Starling node.
error no_starling_node(const upstream::server_words& node);

}  // namespace starling::sdk

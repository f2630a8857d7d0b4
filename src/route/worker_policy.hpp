// Which node answers a request: the one that is predicted to be done first. Pure.
//
// Prediction, in seconds: round trip + (tokens of the prompt that are not cached there) / prefill speed + time in the
// queue + expected tokens / decode speed among those it decodes beside; longer on a busy node, by how far its health is
// below `healthy_above`. Speeds are measured by the workers; one that was never measured counts as the mean of those
// that were. Overloaded nodes (health.hpp) are asked only when there is nobody else, since they refuse.
//
// Many entry nodes choose at the same time from views that are seconds old. So that they do not all run to the same
// worker, one of those within `nearly_as_good` of the best is drawn, except that this node itself and cached prefixes
// are kept: they are why it was the best.
#pragma once

#include "base/node_id.hpp"
#include "route/health.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace starling::route {

inline constexpr double nearly_as_good = 1.1;             // times the best prediction
inline constexpr std::int32_t usual_answer_tokens = 256;  // when a request does not say how much it wants

/// Streams side by side are each slower, but together faster: each one beside adds this share to the time of a token.
/// Whoever measures a stream among others takes it out again.
inline constexpr double slower_for_each = 0.5;

/// A node that has the model ready, as this node sees it.
struct worker_view {
    node_id id;
    std::string name;
    bool here = false;  // this node itself
    route::health health;
    std::int32_t slots = 1;
    std::int32_t busy = 0;
    std::int32_t queued = 0;
    std::chrono::nanoseconds round_trip{};
    double prefill_tokens_per_s = 0.0;  // alone; 0: never measured
    double decode_tokens_per_s = 0.0;   // of one stream alone; 0: never measured
    std::int32_t cached_tokens = 0;     // of this prompt, as far as this node knows
};

struct demand {
    std::int32_t prompt_tokens = 0;
    std::int32_t answer_tokens = usual_answer_tokens;
    std::vector<node_id> tried;  // and failed or refused: never asked again for this request
};

struct worker_choice {
    std::size_t index = 0;  // of the workers given
    double predicted_s = 0.0;
    std::string reason;  // one line for the log and /api/status
};

/// `draw`: uniform in [0, 1). Nothing when every worker was tried, or there is none.
std::optional<worker_choice> choose_worker(std::span<const worker_view> workers, const demand& what, double draw);

}  // namespace starling::route

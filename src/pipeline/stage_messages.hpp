// What a coordinator and its stages say to each other, as JSON objects with a `type`. Pure, fuzzed.
//
// One stream from the coordinator to each stage lives as long as the stage does:
//   coordinator: stage_open                                     … stage_close, or the stream just ends
//   stage:       stage_progress… stage_ready, stage_state every second …, or stage_refused at any time: the last word
//
// And one from each node to the next in the chain, from the last stage to the coordinator: `stage_data` says which
// deployment, epoch and stage it is for, and frames of data_codec follow. Where it is not wanted, stage_refused comes
// back on it.
//
// Unknown fields are ignored. Every number is bounded here: what was parsed can be worked with.
#pragma once

#include "base/result.hpp"
#include "pipeline/data_codec.hpp"
#include "pipeline/errc.hpp"
#include "pipeline/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace starling::pipeline {

/// What these messages and the frames mean. A node answers every version up to its own.
inline constexpr int messages_version = 1;
/// Of a message: the longest is stage_open with max_stages nodes.
inline constexpr std::size_t max_message_bytes = 16 << 10;
/// Of a name, a content id, or a reason.
inline constexpr std::size_t max_text_bytes = 1'024;

struct stage_open {
    deployment_id deployment = 0;
    epoch_number epoch = 0;
    std::uint64_t term = 0;  // of the coordinator's lease
    node_id coordinator;
    std::string model;            // as clients name it
    std::string content;          // id of the whole file's content: its layers are what is loaded
    std::vector<node_id> stages;  // the remote ones, in order; each node once, the coordinator not among them
    std::size_t index = 0;        // which of them the receiver is
    layer_range layers;
    std::int32_t context = 0;  // positions of each sequence
    std::int32_t sequences = 0;
    std::int32_t step_tokens = 0;  // most tokens of one step
    number_type numbers = number_type::f16;

    bool operator==(const stage_open&) const = default;
};

struct stage_progress {
    double fraction = 0.0;  // in [0, 1]
};

struct stage_ready {
    layer_range layers;
    std::int32_t width = 0;  // numbers in one activation
    std::uint64_t memory_bytes = 0;
};

struct stage_refused {
    error why;                     // with a code of pipeline::errc
    std::optional<node_id> about;  // the node that it is about: who has the lease, who was lost, who sent what is wrong
};

/// Also the sign of life.
struct stage_state {
    std::uint64_t steps = 0;    // computed in this epoch
    double ms_per_token = 0.0;  // lately; 0: nothing computed yet
};

struct stage_close {
    std::string reason;
};

struct stage_data {
    deployment_id deployment = 0;
    epoch_number epoch = 0;
    std::size_t index = 0;  // of the stage that it is for; the number of stages: the coordinator
};

using stage_message =
    std::variant<stage_open, stage_progress, stage_ready, stage_refused, stage_state, stage_close, stage_data>;

std::string to_json(const stage_message& from);

/// Errors: malformed, unsupported (a type or version that is not known here), out_of_range, too_large.
result<stage_message> parse_stage_message(std::string_view json);

/// What the stage may be sent when its activations are this wide, and what it sends on.
data_limits limits_into(const stage_open& of, std::int32_t width);
data_limits limits_out_of(const stage_open& of, std::int32_t width);

/// The node before the stage, and the node behind it, in its chain.
const node_id& predecessor(const stage_open& of);
const node_id& successor(const stage_open& of);

/// How a code is written, and what it stands for; `declined` for what has no name here.
const char* code_name(const error& why);
errc code_of(std::string_view name);

}  // namespace starling::pipeline

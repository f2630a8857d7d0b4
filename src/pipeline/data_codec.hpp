// The binary frame between stages. Pure, fuzzed.
//
//   [4-byte big-endian length of the rest]                        as every frame of the mesh
//   header, 40 bytes, little-endian:
//      0  u8   format version (1)         1  u8   kind: 1 tokens, 2 activations
//      2  u8   number type: 1 f16, 2 f32  3  u8   flags (0)
//      4  u64  deployment                12  u32  epoch
//     16  u64  step                      24  u16  edits        26  u16  times
//     28  u32  tokens                    32  u32  width        36  u32  (0)
//   times        u32 each: microseconds that each stage before this frame computed, in the order of the stages
//   edits        16 bytes each: u32 kind (1 truncation, 2 prefix copy), then i32 {sequence, from, 0} or {from, to,
//   length} tokens       12 bytes each: i32 id, i32 position, u32 sequence with bit 31 set where an output is wanted
//   activations  [tokens, width] in the number type; none in a frame of kind 1, whose width is 0
//
// A step goes to the first stage as tokens and to every other as activations; edits and tokens stay the same all the
// way, so that the coordinator can compare what comes back with what it sent.
//
// One copy each way: activations are converted straight between the frame's bytes and the floats that are computed on.
#pragma once

#include "base/result.hpp"
#include "llama/step.hpp"
#include "pipeline/errc.hpp"
#include "pipeline/types.hpp"

#include <span>
#include <vector>

namespace starling::pipeline {

inline constexpr std::uint8_t frame_version = 1;
inline constexpr std::size_t frame_length_bytes = 4;
inline constexpr std::size_t frame_header_bytes = 40;
/// Whatever the deployment's limits are: two thousand tokens of the widest models in f32.
inline constexpr std::size_t largest_frame_bytes = 256 << 20;

enum class frame_kind : std::uint8_t { tokens = 1, activations = 2 };

/// What one deployment agreed on: a frame that breaks it is refused.
struct data_limits {
    deployment_id deployment = 0;
    epoch_number epoch = 0;
    frame_kind kind = frame_kind::activations;
    number_type numbers = number_type::f16;
    std::int32_t sequences = 1;
    std::int32_t context = 0;       // positions of each sequence
    std::int32_t step_tokens = 0;   // most tokens of one step
    std::int32_t width = 0;         // of activations
    std::size_t stages_before = 0;  // how many stages such a frame has been through
};

/// One step on its way.
struct data_frame {
    step_number number = 0;
    llama::step step;
    std::vector<float> activations;          // [tokens, width]; empty in a frame of tokens
    std::vector<std::uint32_t> computed_us;  // for each stage that it has been through
};

/// Largest frame, without its length, that keeps these limits: nothing longer is read.
std::size_t max_frame_bytes(const data_limits& limits);

/// The length that the first four bytes of a frame announce. Errors: too_large, malformed (less than a header).
result<std::size_t> read_frame_length(std::span<const std::uint8_t, frame_length_bytes> from,
                                      const data_limits& limits);

/// Reads a frame without its length. `next` is the step that has to come now.
/// Errors: unsupported, malformed, unknown_deployment, stale_epoch, duplicate_step, gap, too_large, wrong_shape,
/// out_of_range, not_finite.
result<data_frame> decode(std::span<const std::uint8_t> from, const data_limits& limits, step_number next);

/// The frame with its length, into `out`, whose memory is used again. Kind, number type and width are those of the
/// limits, which are the receiver's.
/// Errors: not_finite; does_not_fit (f16 has nothing beyond 65,504, f32 has); wrong_shape; too_large.
result<void> encode(const data_frame& from, const data_limits& limits, bytes* out);

/// The same edits and tokens.
bool same_step(const llama::step& a, const llama::step& b);

}  // namespace starling::pipeline

// Words of the pipeline: which deployment, which layers, in what form activations travel.
#pragma once

#include "base/node_id.hpp"
#include "transport/transport.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace starling::pipeline {

using transport::awaitable;
using transport::bytes;
using transport::steady_time;

/// Drawn at random by the coordinator, once for each deployment.
using deployment_id = std::uint64_t;

/// Goes up by at least one each time that the stages of a deployment are put together anew.
using epoch_number = std::uint32_t;

/// Numbered from 0 in each epoch.
using step_number = std::uint64_t;

/// How activations are written on the wire.
enum class number_type : std::uint8_t { f16 = 1, f32 = 2 };

/// Layers [first, end) of `of` layers.
struct layer_range {
    std::int32_t first = 0;
    std::int32_t end = 0;
    std::int32_t of = 0;

    bool operator==(const layer_range&) const = default;
};

/// Remote stages of one deployment: more would be slower than any one machine.
inline constexpr std::size_t max_stages = 64;
/// Tokens of one step: twice the widest that a stage computes at once.
inline constexpr std::int32_t max_step_tokens = 4'096;
/// Edits that come before a step's tokens: a handful for each sequence.
inline constexpr std::size_t max_step_edits = 4'096;
inline constexpr std::int32_t max_sequences = 1'024;
inline constexpr std::int32_t max_context = 16 << 20;
inline constexpr std::int32_t max_layers = 4'096;
/// Numbers in one activation: ten times the widest model there is.
inline constexpr std::int32_t max_width = 1 << 18;

/// Connections to other members. Network executor.
class peer_links {
  public:
    peer_links() = default;
    peer_links(const peer_links&) = delete;
    peer_links& operator=(const peer_links&) = delete;
    virtual ~peer_links() = default;

    /// The live connection to a member; null when there is none.
    virtual std::shared_ptr<transport::connection> find(const node_id& node) = 0;
};

}  // namespace starling::pipeline

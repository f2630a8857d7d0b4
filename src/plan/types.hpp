// What a plan is made from: a model, the machines, the links between them, and what is wished for.
//
// All of these are values that others measured. Numbers from other machines are not trusted to make sense: a speed or a
// time that is not a positive, finite number counts as unknown.
#pragma once

#include "base/node_id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace starling::plan {

/// The longest chain. Each stage costs a trip through the network for every token.
inline constexpr std::size_t max_stages = 16;
/// The deepest models have under 200.
inline constexpr std::size_t max_layers = 511;
/// A round trip that nobody measured: machines of one town.
inline constexpr double assumed_round_trip_ms = 20.0;
/// Bytes of weights read per second by a machine that nobody measured, when there is none to go by: an office computer.
inline constexpr double assumed_read_bytes_per_s = 10e9;
/// Each further sequence of a step adds this share of the time that one takes, where nobody measured it.
inline constexpr double assumed_batch_share = 0.5;

struct layer_shape {
    std::uint64_t weight_bytes = 0;
    std::uint64_t read_bytes = 0;                // of the weights, for one token: with experts less than all; 0: all
    std::uint64_t kv_bytes_per_position = 0;     // keys and values that attention keeps for each token
    std::uint64_t state_bytes_per_sequence = 0;  // of a recurrent layer, whatever the length
};

/// Scratch memory of llama.cpp for a stage of this kind, as a dry run tells it; nearly independent of its layers.
struct compute_bytes {
    std::uint64_t first = 0;
    std::uint64_t middle = 0;
    std::uint64_t last = 0;
    std::uint64_t whole = 0;
};

struct model_shape {
    std::string name;
    std::vector<layer_shape> layers;
    std::uint64_t first_bytes = 0;  // that only the first stage needs: token embedding
    std::uint64_t last_bytes = 0;   // that only the last needs, and reads for each token: output head, norm
    std::uint64_t every_bytes = 0;  // that every stage needs
    /// Counted in first_bytes and in last_bytes, and held once by a machine that is both: an embedding that is the
    /// output head too.
    std::uint64_t shared_bytes = 0;
    compute_bytes compute;
    /// Layers at which a stage may begin, ascending, without 0: from gguf::legal_cuts. Empty: cannot be split.
    std::vector<std::int32_t> cuts;
    std::int32_t embedding_length = 0;      // width of what goes from stage to stage
    std::int32_t bytes_per_activation = 2;  // 2 (f16) or 4 (f32)
};

struct machine {
    node_id id;
    std::string name;
    /// For models. What a stage of the previous plan takes there counts as free: it would be given back.
    std::uint64_t free_bytes = 0;
    double read_bytes_per_s = 0.0;            // of weights, while it decodes; 0: unknown
    std::optional<double> measured_layer_ms;  // mean over the layers of this very model; goes before the speed
    double step_overhead_ms = 0.0;            // for each step, whatever its layers
    bool has_file = true;                     // of the model: else it has to fetch its part
    bool may_coordinate = true;
};

struct link {
    double round_trip_ms = assumed_round_trip_ms;
    double bytes_per_s = 0.0;  // 0: unknown, taken as no limit
};

/// The links between machines; the same in both directions.
class network {
  public:
    void set(const node_id& one, const node_id& other, link between);
    /// The assumed link where nobody measured it; no time at all from a machine to itself.
    link between(const node_id& one, const node_id& other) const;
    bool knows(const node_id& one, const node_id& other) const;

  private:
    std::map<std::pair<node_id, node_id>, link> links_;  // the smaller id first
};

/// `first` up to and without `end`.
struct layer_range {
    std::int32_t first = 0;
    std::int32_t end = 0;

    std::int32_t count() const { return end - first; }
    bool operator==(const layer_range&) const = default;
};

/// A stage that is loaded.
struct loaded_stage {
    node_id node;
    layer_range layers;
};

enum class split_mode {
    automatic,  // on one machine where it fits, else over as many as are best
    never,
    exactly,  // `stages`, even where fewer would do
};

struct wish {
    std::int64_t context = 4096;  // tokens of one slot
    std::int64_t slots = 1;
    /// How many streams at once the plan is made for: 1 gives the least time between tokens, as many as there are slots
    /// gives the most tokens in all. 0: half of the slots, since a deployment is seldom full.
    std::int64_t streams = 0;
    split_mode split = split_mode::automatic;
    std::size_t stages = 0;  // for split_mode::exactly
    /// Where the model was named: it coordinates unless another does much better.
    std::optional<node_id> coordinator;
    double batch_share = assumed_batch_share;
    /// Kept free on every machine: this share of what is free there, and at least so many bytes.
    double margin_share = 0.10;
    std::uint64_t margin_bytes = 256ULL << 20;
    /// The plan that is in force, in the order of its stages; empty: none. Machines that are gone may be in it.
    std::vector<loaded_stage> previous;
    std::vector<node_id> avoid;
};

}  // namespace starling::plan

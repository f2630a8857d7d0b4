// Cutting a model by layers. A slice is an ordinary GGUF file that llama.cpp loads by itself: it holds the layers
// [first, end) of a whole model, renumbered from 0, and says in its metadata where it was cut from.
//
// Pure but for what writes, and what a range_source does. Any thread. Called by: the command line (`models slice`),
// models (parts of a model from files and from other nodes), plan (where a model may be cut), llama (how a stage takes
// hidden states in and gives them out).
//
// How a slice runs. Every stage decodes batches of tokens, with an evaluation callback. A stage after the first lets
// llama.cpp look up its (empty) embeddings, and then overwrites the tensor that enters layer 0 with the hidden states
// of the stage before: whatever the architecture does to its input before the first layer (scaling, learned positions,
// a norm) has been done by the first stage, and no number changes. A stage before the last copies the output of its
// last layer, [n_tokens, width] in f32, and stops the graph there: its output head is never computed. `seams_of` names
// both tensors. Stages take text alone: what a model knows about images goes into its first layers past this.
#pragma once

#include "gguf/gguf.hpp"
#include "gguf/range_source.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::gguf {

/// Layers [first, end), counted in the whole model.
struct layer_range {
    std::int32_t first = 0;
    std::int32_t end = 0;

    std::int32_t size() const { return end - first; }
    friend bool operator==(const layer_range&, const layer_range&) = default;
};

/// What a slice says about where it comes from: the keys starling.slice.content, .first_layer, .end_layer and .layers.
struct slice_origin {
    std::string content;  // models::content_id of the whole, 64 hex digits; empty when it was not given
    layer_range layers;
    std::int32_t of_layers = 0;  // of the whole

    bool is_first() const { return layers.first == 0; }
    bool is_last() const { return layers.end == of_layers; }
};

/// Nothing for a whole model, and for a file whose keys contradict each other.
std::optional<slice_origin> origin_of(const file_header& header);

/// Where a model may be cut in two: cut c gives [0, c) and [c, layers). Ascending; empty when each place would leave
/// out something that both sides need. errc::cannot_split, with the architecture and the reason, when llama.cpp's
/// arithmetic for it cannot be taken up in the middle, or has not been shown to be exact.
result<std::vector<std::int32_t>> legal_cuts(const file_header& whole);

/// Whether these layers can be one stage. The stages between two legal cuts need not be: models of mixed layers need
/// one of each kind in every stage.
result<void> check_stage(const file_header& whole_or_slice, layer_range layers);

/// How a stage exchanges hidden states with llama.cpp's graph: names of tensors in the graph.
struct stage_seams {
    std::string inject;      // overwritten after it was computed; empty for a stage that starts with tokens
    std::string capture;     // copied out, after which the graph is stopped; empty for a stage that ends with logits
    std::int64_t width = 0;  // numbers of a token in both: the embedding length, or several of it side by side

    /// Scalings (GGML_OP_SCALE) whose factor llama.cpp would get wrong, since it derives it from the number of layers:
    /// in every layer i, before the node that is called `tensor`-i, or is computed from the one that is, its first
    /// parameter is to be `by`.
    struct factor {
        std::string tensor;
        float by = 1;

        friend bool operator==(const factor&, const factor&) = default;
    };
    std::vector<factor> factors;  // empty for nearly all architectures

    friend bool operator==(const stage_seams&, const stage_seams&) = default;
};
result<stage_seams> seams_of(const file_header& whole_or_slice);

/// A slice to be written.
struct slice_plan {
    file_header header;  // of the slice; tensors have their places in it
    /// For tensor i of the header: where its bytes begin in the file that is cut; nothing for zeros, which are never
    /// read when the stage runs.
    std::vector<std::optional<std::uint64_t>> sources;
    std::string header_bytes;  // the header as it is written, padded to where tensor data begins
};

/// Plans the file for these layers. `from` is the whole model, or a slice that contains them (and the vocabulary or
/// the output head, if they need it). `content` is kept as slice_origin::content; for a slice of a slice, give what
/// the first says. errc::cannot_split, errc::corrupt.
result<slice_plan> plan_slice(const file_header& from, layer_range layers, std::string_view content);

/// Bytes that will be read from the file that is cut.
std::uint64_t fetched_bytes(const slice_plan& plan);

/// Called with the bytes of the slice that are done; false stops the writing, with errc::io_failed.
using slice_progress = std::function<bool(std::uint64_t done_bytes)>;

class temporary_file;

/// A slice that is written, beside the name that it is to have, and can be read; gone again unless it is kept.
/// Owner: whoever had it written. One thread at a time.
class fresh_slice {
  public:
    fresh_slice(std::unique_ptr<temporary_file> written, std::filesystem::path to);
    fresh_slice(fresh_slice&&) noexcept;
    fresh_slice& operator=(fresh_slice&&) noexcept;
    ~fresh_slice();

    const std::filesystem::path& path() const;                 // where it is
    const std::filesystem::path& name() const { return to_; }  // where it is once it is kept

    /// Once: syncs it and renames it to what it is to be called. Blocks, for as long as the disk takes.
    /// errc::io_failed.
    result<void> keep();

  private:
    std::unique_ptr<temporary_file> written_;
    std::filesystem::path to_;
};

/// Holds one chunk of one tensor in memory; zeros are holes in the file. Blocks. errc::io_failed, and those of the
/// source.
result<fresh_slice> write_fresh_slice(const slice_plan& plan, range_source& from, const std::filesystem::path& to,
                                      const slice_progress& progress = nullptr);

/// The same, and keeps it: `to` is either what it was or complete.
result<void> write_slice(const slice_plan& plan, range_source& from, const std::filesystem::path& to,
                         const slice_progress& progress = nullptr);

}  // namespace starling::gguf

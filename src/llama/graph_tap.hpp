// Where hidden states enter and leave llama.cpp's graph: its evaluation callback overwrites the value that goes into a
// slice's first layer with what the stage before has computed, and copies out what its last layer gives. So nothing
// before the layers (scaling, learned positions, an input norm) has to be undone, and nothing in llama.cpp is changed.
#pragma once

#include "gguf/slice.hpp"
#include "llama/huge_pages.hpp"

#include <span>
#include <vector>

struct ggml_tensor;
struct llama_context_params;

namespace starling::llama {

/// Owner: a stage or an embedder; must outlive the context that is made of the watched parameters. Thread: the one that
/// computes.
class graph_tap {
  public:
    explicit graph_tap(gguf::stage_seams seams) : seams_(std::move(seams)) {}
    graph_tap(const graph_tap&) = delete;
    graph_tap& operator=(const graph_tap&) = delete;

    void watch(llama_context_params& params);

    /// Also tells `pages`, which outlives it, where tensors are.
    void tell(huge_pages& pages) { pages_ = &pages; }

    bool takes_hidden_states() const { return !seams_.inject.empty(); }
    bool gives_hidden_states() const { return !seams_.capture.empty(); }

    /// Something has to be done to the graph.
    bool is_needed() const { return takes_hidden_states() || gives_hidden_states() || !seams_.factors.empty(); }

    /// For the next pass: what goes in, and where to put what comes out; both [n_tokens, n_embd], row-major. Empty and
    /// null where nothing does (or where nobody cares: then the graph runs as it is).
    void begin(std::span<const float> in, std::vector<float>* out);

    /// Whether both were seen in the pass, with the shapes that were expected.
    bool done() const { return in_.empty() && out_ == nullptr; }

  private:
    static bool observe(ggml_tensor* node, bool ask, void* self);
    void correct(ggml_tensor* node) const;
    bool wants(const ggml_tensor* node) const;
    bool take(ggml_tensor* node);

    gguf::stage_seams seams_;
    huge_pages* pages_ = nullptr;
    std::span<const float> in_;
    std::vector<float>* out_ = nullptr;
};

}  // namespace starling::llama

// Weights and KV cache in huge pages. Decode reads all of both for every token, and with pages of 4 KiB a good part of
// that time goes into looking up addresses: with 2 MiB pages memory reads 10 to 20 % faster. A mapped file cannot have
// them, so weights that fit memory comfortably are read into memory of the process's own (model.cpp).
#pragma once

#include <set>

struct ggml_backend_buffer;
struct ggml_tensor;

namespace starling::llama {

/// Owner: a stage. Thread: the one that computes.
class huge_pages {
  public:
    /// A node of the graph that is about to be computed.
    void note(const ggml_tensor* node);

    /// Moves what the first computation used into huge pages, where the kernel has them (Linux 6.1 and later). What
    /// cannot be moved stays where it is.
    void apply();

  private:
    std::set<ggml_backend_buffer*> seen_;
    bool done_ = false;
};

}  // namespace starling::llama

// Weights and KV cache in huge pages. Decode reads all of both for every token, and with pages of 4 KiB a good part of
// that time goes into looking up addresses: with 2 MiB pages memory reads 10 to 20 % faster. A mapped file cannot have
// them, so weights that fit memory comfortably are read into memory of the process's own (model.cpp).
#pragma once

#include <set>

struct ggml_backend_buffer;
struct ggml_tensor;
struct llama_context_params;

namespace starling::llama {

/// Owner: a stage; must outlive the context. Thread: the one that computes.
class huge_pages {
  public:
    /// Lets the context that is made of `params` tell where its tensors are when it computes.
    void watch(llama_context_params& params);

    /// Moves what the first computation used into huge pages, where the kernel has them (Linux 6.1 and later). What
    /// cannot be moved stays where it is.
    void apply();

  private:
    static bool note(ggml_tensor* node, bool ask, void* self);

    std::set<ggml_backend_buffer*> seen_;
    bool done_ = false;
};

}  // namespace starling::llama

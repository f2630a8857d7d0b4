#include "llama/graph_tap.hpp"

#include <ggml-backend.h>
#include <llama.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace starling::llama {

void graph_tap::watch(llama_context_params& params) {
    params.cb_eval = observe;
    params.cb_eval_user_data = this;
}

void graph_tap::begin(std::span<const float> in, std::vector<float>* out) {
    in_ = in;
    out_ = out;
}

/// ggml_backend_sched_eval_callback: first asked whether a node's value is wanted, then called with it. What is not
/// wanted by anybody is computed in one go.
bool graph_tap::observe(ggml_tensor* node, bool ask, void* self) {
    auto& tap = *static_cast<graph_tap*>(self);
    if (ask && tap.pages_ != nullptr) {
        tap.pages_->note(node);
    }
    if (!ask) {
        return tap.take(node);
    }
    tap.correct(node);
    return tap.wants(node);
}

/// See gguf::stage_seams::factors.
void graph_tap::correct(ggml_tensor* node) const {
    if (node->op != GGML_OP_SCALE) {
        return;
    }
    for (const auto& factor : seams_.factors) {
        const std::string wanted = factor.tensor + "-";
        if (std::string_view(node->name).starts_with(wanted) ||
            std::string_view(node->src[0]->name).starts_with(wanted)) {
            std::memcpy(node->op_params, &factor.by, sizeof factor.by);
        }
    }
}

bool graph_tap::wants(const ggml_tensor* node) const {
    return (!in_.empty() && seams_.inject == node->name) || (out_ != nullptr && seams_.capture == node->name);
}

/// False stops the pass: behind the last layer of a stage there is nothing that anybody reads.
bool graph_tap::take(ggml_tensor* node) {
    if (node->type != GGML_TYPE_F32 || !ggml_is_contiguous(node)) {
        return true;
    }
    const std::size_t bytes = ggml_nbytes(node);
    if (seams_.inject == node->name) {
        if (bytes == in_.size_bytes()) {
            ggml_backend_tensor_set(node, in_.data(), 0, bytes);
            in_ = {};
        }
        return true;
    }
    out_->resize(bytes / sizeof(float));
    ggml_backend_tensor_get(node, out_->data(), 0, bytes);
    out_ = nullptr;
    return false;
}

}  // namespace starling::llama

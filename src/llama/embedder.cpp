#include "llama/embedder.hpp"

#include "llama/backend.hpp"

#include <common.h>
#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace starling::llama {

namespace {

// Inputs computed together, and the tokens of all of them: pooling wants an input whole in one pass, and the compute
// buffers grow with the pass.
constexpr std::int32_t max_together = 16;
constexpr std::int32_t max_pass_tokens = 2048;

std::vector<float> normalised(std::span<const float> values) {
    double sum = 0.0;
    for (const float value : values) {
        sum += static_cast<double>(value) * value;
    }
    const auto scale = sum > 0.0 ? static_cast<float>(1.0 / std::sqrt(sum)) : 0.0F;
    std::vector<float> out(values.begin(), values.end());
    for (float& value : out) {
        value *= scale;
    }
    return out;
}

}  // namespace

std::int32_t max_embedding_tokens(const model& model) {
    return std::min(max_pass_tokens, model.trained_context());
}

embedder::embedder(std::shared_ptr<const model> model, std::int32_t threads)
    : model_(std::move(model)), threads_(threads), tap_(model_->seams()) {}

embedder::~embedder() {
    if (context_ != nullptr) {
        llama_free(context_);
    }
}

result<void> embedder::open() {
    if (context_ != nullptr) {
        return {};
    }
    const auto tokens = static_cast<std::uint32_t>(max_embedding_tokens(*model_));
    llama_context_params params = llama_context_default_params();
    params.n_ctx = tokens;
    params.n_batch = tokens;
    params.n_ubatch = tokens;
    params.n_seq_max = max_together;
    params.n_threads = threads_ > 0 ? threads_ : std::max(1, common_cpu_get_num_physical_cores());
    params.n_threads_batch = params.n_threads;
    params.embeddings = true;
    params.kv_unified = true;
    if (tap_.is_needed()) {
        tap_.watch(params);
    }
    take_logged_error();
    context_ = llama_init_from_model(model_->handle(), params);
    if (context_ != nullptr && llama_pooling_type(context_) == LLAMA_POOLING_TYPE_NONE) {
        llama_free(context_);
        params.pooling_type = LLAMA_POOLING_TYPE_MEAN;
        context_ = llama_init_from_model(model_->handle(), params);
    }
    if (context_ == nullptr) {
        return fail(engine::errc::unsupported,
                    fmt::format("{} cannot give embeddings: {}", model_->info().id, take_logged_error()));
    }
    return {};
}

result<engine::embedding_result> embedder::embed(const std::vector<std::vector<engine::token_id>>& inputs) {
    if (auto opened = open(); !opened) {
        return opened.error();
    }
    engine::embedding_result out;
    const std::span<const std::vector<engine::token_id>> all(inputs);
    for (std::size_t begin = 0; begin < all.size();) {
        std::size_t end = begin;
        std::size_t tokens = 0;
        while (end < all.size() && end - begin < max_together &&
               tokens + all[end].size() <= static_cast<std::size_t>(max_embedding_tokens(*model_))) {
            tokens += all[end++].size();
        }
        if (auto ran = run_batch(all.subspan(begin, end - begin), out); !ran) {
            return ran.error();
        }
        begin = end;
    }
    return out;
}

result<void> embedder::run_batch(std::span<const std::vector<engine::token_id>> inputs, engine::embedding_result& out) {
    if (auto ran = compute({inputs.begin(), inputs.end()}); !ran) {
        return ran;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        auto vector = vector_of(static_cast<std::int32_t>(i));
        if (!vector) {
            return vector.error();
        }
        out.vectors.push_back(std::move(*vector));
        out.prompt_tokens += static_cast<std::int32_t>(inputs[i].size());
    }
    return {};
}

result<std::vector<float>> embedder::embed_hidden(std::size_t tokens, std::span<const float> hidden) {
    if (auto opened = open(); !opened) {
        return opened.error();
    }
    tap_.begin(hidden, nullptr);
    const std::vector<engine::token_id> replaced(tokens, 0);
    if (auto ran = compute({replaced}); !ran) {
        return ran.error();
    }
    if (!tap_.done()) {
        return fail(engine::errc::internal, fmt::format("the slices of {} do not fit together", model_->info().id));
    }
    return vector_of(0);
}

result<void> embedder::compute(const std::vector<std::span<const engine::token_id>>& inputs) {
    llama_batch batch = llama_batch_init(max_embedding_tokens(*model_), 0, 1);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (std::size_t at = 0; at < inputs[i].size(); ++at) {
            const auto n = batch.n_tokens++;
            batch.token[n] = inputs[i][at];
            batch.pos[n] = static_cast<std::int32_t>(at);
            batch.n_seq_id[n] = 1;
            batch.seq_id[n][0] = static_cast<std::int32_t>(i);
            batch.logits[n] = 1;
        }
    }
    llama_memory_t memory = llama_get_memory(context_);
    if (memory != nullptr) {
        llama_memory_clear(memory, true);
    }
    const bool encodes = llama_model_has_encoder(model_->handle()) && !llama_model_has_decoder(model_->handle());
    const auto status = encodes ? llama_encode(context_, batch) : llama_decode(context_, batch);
    llama_batch_free(batch);
    if (status != 0) {
        return fail(engine::errc::internal,
                    fmt::format("llama.cpp could not embed the input (status {}) {}", status, take_logged_error()));
    }
    return {};
}

/// Of the input that was computed last on this sequence.
result<std::vector<float>> embedder::vector_of(std::int32_t sequence) const {
    const float* values = llama_get_embeddings_seq(context_, sequence);
    if (values == nullptr) {
        return fail(engine::errc::unsupported, fmt::format("{} gives no embeddings", model_->info().id));
    }
    return normalised({values, static_cast<std::size_t>(llama_model_n_embd_out(model_->handle()))});
}

}  // namespace starling::llama

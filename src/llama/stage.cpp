#include "llama/stage.hpp"

#include "llama/backend.hpp"

#include <common.h>
#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <utility>

namespace starling::llama {

namespace {

/// Owns a llama_batch of up to `capacity` tokens, one sequence each.
class token_batch {
  public:
    explicit token_batch(std::size_t capacity) : batch_(llama_batch_init(static_cast<std::int32_t>(capacity), 0, 1)) {}
    token_batch(const token_batch&) = delete;
    token_batch& operator=(const token_batch&) = delete;
    ~token_batch() { llama_batch_free(batch_); }

    void add(const step_token& token) {
        const auto i = batch_.n_tokens++;
        batch_.token[i] = token.token;
        batch_.pos[i] = token.at;
        batch_.n_seq_id[i] = 1;
        batch_.seq_id[i][0] = token.sequence;
        batch_.logits[i] = token.output ? 1 : 0;
    }

    const llama_batch& get() const { return batch_; }

  private:
    llama_batch batch_;
};

std::uint64_t kv_bytes_per_sequence(const model& model, std::int32_t context) {
    const llama_model* m = model.handle();
    const std::uint64_t head = static_cast<std::uint64_t>(llama_model_n_embd(m)) /
                               static_cast<std::uint64_t>(std::max(1, llama_model_n_head(m)));
    const std::uint64_t row = head * static_cast<std::uint64_t>(std::max(1, llama_model_n_head_kv(m)));
    constexpr std::uint64_t keys_and_values = 2;
    constexpr std::uint64_t f16 = 2;
    return keys_and_values * f16 * row * static_cast<std::uint64_t>(llama_model_n_layer(m)) *
           static_cast<std::uint64_t>(context);
}

/// What one pass can compute, and keeps in order: neighbouring sequences with equally many tokens each.
bool is_one_pass(const step& step) {
    std::size_t run = 0;  // tokens of the first sequence
    while (run < step.tokens.size() && step.tokens[run].sequence == step.tokens.front().sequence) {
        ++run;
    }
    for (std::size_t i = 0; i < step.tokens.size(); ++i) {
        if (step.tokens[i].sequence != step.tokens.front().sequence + static_cast<sequence_id>(i / run)) {
            return false;
        }
    }
    return step.tokens.empty() || step.tokens.size() % run == 0;
}

}  // namespace

std::int32_t max_step_tokens(const model& model) {
    constexpr std::int32_t on_gpu = 512;
    constexpr std::int32_t on_processor = 256;
    return model.on_gpu() ? on_gpu : on_processor;
}

llama_context_params context_params(const stage_options& options, bool gives_hidden_states) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<std::uint32_t>(options.context) * static_cast<std::uint32_t>(options.sequences);
    params.n_seq_max = static_cast<std::uint32_t>(options.sequences);
    params.n_batch = static_cast<std::uint32_t>(std::max(options.widest, options.sequences));
    params.n_ubatch = static_cast<std::uint32_t>(options.widest);
    // One row of logits for each sequence: the buffer for a whole batch would be batch × vocabulary. The last layer of
    // a stage computes only what is put out, so that all of it must be.
    params.n_outputs_max =
        gives_hidden_states ? params.n_batch : static_cast<std::uint32_t>(std::max(options.outputs, options.sequences));
    params.n_threads = options.threads;
    params.n_threads_batch = options.threads;
    params.kv_unified = false;
    params.swa_full = false;
    return params;
}

result<std::unique_ptr<stage>> stage::create(std::shared_ptr<const model> model, stage_options options) {
    options.threads = options.threads > 0 ? options.threads : std::max(1, common_cpu_get_num_physical_cores());
    options.widest = options.widest > 0 ? options.widest : max_step_tokens(*model);
    auto graph = std::make_unique<watch>(model->seams());
    llama_context_params params = context_params(options, graph->tap.gives_hidden_states());
    if (model->in_memory()) {
        graph->tap.tell(graph->pages);
    }
    if (model->in_memory() || graph->tap.is_needed()) {
        graph->tap.watch(params);
    }

    take_logged_error();
    llama_context* context = nullptr;
    try {
        context = llama_init_from_model(model->handle(), params);
    } catch (const std::exception&) {
        // Reported below like any other failure.
    }
    if (context == nullptr) {
        return fail(errc::load_failed, fmt::format("cannot set up {} slots of {} tokens for {}: {}", options.sequences,
                                                   options.context, model->info().id, take_logged_error()));
    }
    std::unique_ptr<stage> made(new stage(std::move(model), context, std::move(graph), options));
    if (made->of().in_memory() && made->of().can_decode()) {
        made->warm_up();
    }
    return made;
}

stage::stage(std::shared_ptr<const model> model, llama_context* context, std::unique_ptr<watch> graph,
             const stage_options& options)
    : model_(std::move(model)),
      graph_(std::move(graph)),
      context_(context),
      threads_(options.threads),
      widest_(options.widest),
      sequence_bytes_(kv_bytes_per_sequence(*model_, options.context)) {
    llama_set_abort_callback(
        context_, [](void* flag) { return static_cast<std::atomic<bool>*>(flag)->load(std::memory_order_relaxed); },
        &interrupted_);
}

stage::~stage() {
    llama_free(context_);
}

/// Touches every weight once, before anybody waits for an answer.
void stage::warm_up() {
    llama_token token = 0;
    llama_decode(context_, llama_batch_get_one(&token, 1));
    llama_memory_clear(llama_get_memory(context_), false);
    graph_->pages.apply();
}

std::int32_t stage::width() const {
    const auto width = static_cast<std::int32_t>(model_->seams().width);
    return width > 0 ? width : llama_model_n_embd(model_->handle());
}

result<void> stage::run(const step& step, std::span<const float> in, std::vector<float>* out) {
    for (const cache_edit& edit : step.edits) {
        if (auto done = std::visit([this](const auto& what) { return apply(what); }, edit); !done) {
            return done;
        }
    }
    if (step.tokens.empty()) {
        return {};
    }
    if (step.tokens.size() > llama_n_batch(context_)) {
        return fail(engine::errc::internal,
                    fmt::format("a step of {} tokens is wider than the {} that there is room for", step.tokens.size(),
                                llama_n_batch(context_)));
    }
    graph_tap& tap = graph_->tap;
    if (tap.takes_hidden_states() || tap.gives_hidden_states()) {
        const std::size_t expected =
            tap.takes_hidden_states() ? step.tokens.size() * static_cast<std::size_t>(width()) : 0;
        if (in.size() != expected || (out != nullptr) != tap.gives_hidden_states() || !is_one_pass(step)) {
            return fail(engine::errc::internal, "a step does not have the form that this stage of the model computes");
        }
        tap.begin(in, out);
    }
    if (auto decoded = decode(step); !decoded) {
        return decoded;
    }
    if (!tap.done()) {
        return fail(
            engine::errc::internal,
            fmt::format("llama.cpp's graph for {} lacks the place where its layers are cut", model_->info().id));
    }
    return {};
}

result<void> stage::decode(const step& step) {
    token_batch batch(step.tokens.size());
    // What hidden states replace needs no token; and a slice without a vocabulary has only this one.
    const bool has_tokens = model_->vocabulary_size() > 1;
    const bool all_outputs = graph_->tap.gives_hidden_states();
    for (step_token token : step.tokens) {
        token.token = has_tokens ? token.token : 0;
        token.output = token.output || all_outputs;
        batch.add(token);
    }
    take_logged_error();
    const auto status = llama_decode(context_, batch.get());
    if (status != 0) {
        return fail(engine::errc::internal,
                    fmt::format("llama.cpp could not compute a batch of {} tokens (status {}) {}", step.tokens.size(),
                                status, take_logged_error()));
    }
    return {};
}

result<void> stage::apply(const prefix_copy& copy) {
    llama_memory_seq_cp(llama_get_memory(context_), copy.from, copy.to, -1, -1);
    return apply(truncation{.sequence = copy.to, .from = copy.length});
}

result<void> stage::apply(const truncation& edit) {
    if (!llama_memory_seq_rm(llama_get_memory(context_), edit.sequence, edit.from, -1)) {
        return fail(engine::errc::internal,
                    fmt::format("sequence {} cannot be cut back to {} tokens", edit.sequence, edit.from));
    }
    return {};
}

position stage::lowest_position(sequence_id sequence) const {
    return llama_memory_seq_pos_min(llama_get_memory(context_), sequence);
}

}  // namespace starling::llama

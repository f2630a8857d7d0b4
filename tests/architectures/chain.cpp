#include "chain.hpp"

#include <ggml-backend.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace starling::architectures {

namespace {

constexpr std::int32_t context_tokens = 256;
constexpr std::int32_t prompt_tokens = 20;

// One step of the script: forget the last tokens, then decode others.
struct step {
    std::int32_t forget = 0;
    std::int32_t count = 0;
    bool all_logits = false;
    std::int32_t first = 0;  // position of the first token; filled in as the script runs
};

// A prompt, single tokens, some of it taken back and gone on with differently.
constexpr step script[] = {
    {0, prompt_tokens, false}, {0, 1, false}, {0, 1, false}, {0, 1, false}, {8, 6, true}, {0, 1, false}};

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

}  // namespace

// One llama_context over a whole model or a slice.
class runner {
  public:
    runner(const std::filesystem::path& path, gguf::stage_seams seams) : seams_(std::move(seams)) {
        llama_model_params model_params = llama_model_default_params();
        model_params.n_gpu_layers = 0;
        model_.reset(llama_model_load_from_file(path.c_str(), model_params));
        if (!model_) {
            give_up("llama.cpp does not load " + path.filename().string());
        }
        llama_context_params params = llama_context_default_params();
        params.n_ctx = context_tokens;
        params.n_batch = 64;
        params.n_ubatch = 64;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        params.no_perf = true;
        if (!seams_.inject.empty() || !seams_.capture.empty()) {
            params.cb_eval = observe;
            params.cb_eval_user_data = this;
        }
        context_.reset(llama_init_from_model(model_.get(), params));
        if (!context_) {
            give_up("llama.cpp makes no context for " + path.filename().string());
        }
        tokens_ = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
    }

    void restart() { llama_memory_clear(llama_get_memory(context_.get()), true); }

    /// Forgets the positions from `first` on; false where the memory cannot.
    bool truncate(std::int32_t first) { return llama_memory_seq_rm(llama_get_memory(context_.get()), 0, first, -1); }

    /// Runs a step. `hidden` is what goes in, and afterwards what came out; empty for tokens and for logits.
    void run(const step& s, const std::vector<llama_token>& tokens, std::vector<float>& hidden) {
        llama_batch batch = llama_batch_init(s.count, 0, 1);
        batch.n_tokens = s.count;
        for (std::int32_t i = 0; i < s.count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            batch.token[at] = tokens_ > 1 ? tokens[at] : 0;
            batch.pos[at] = s.first + i;
            batch.n_seq_id[at] = 1;
            batch.seq_id[at][0] = 0;
            batch.logits[at] = static_cast<std::int8_t>(!seams_.capture.empty() || s.all_logits || i == s.count - 1);
        }
        in_ = std::move(hidden);
        out_.clear();
        taken_ = seams_.inject.empty();
        const int failed = llama_decode(context_.get(), batch);
        llama_batch_free(batch);
        if (failed != 0) {
            give_up("llama_decode failed with " + std::to_string(failed));
        }
        if (!taken_) {
            give_up("the graph has no tensor " + seams_.inject + " of the right shape");
        }
        if (!seams_.capture.empty() && out_.size() != static_cast<std::size_t>(s.count * seams_.width)) {
            give_up("the graph has no tensor " + seams_.capture + " of the right shape; its size was " +
                    std::to_string(out_.size()));
        }
        hidden = std::move(out_);
    }

    std::vector<float> logits(const step& s) const {
        std::vector<float> out;
        for (std::int32_t i = s.all_logits ? 0 : s.count - 1; i < s.count; ++i) {
            const float* row = llama_get_logits_ith(context_.get(), i);
            out.insert(out.end(), row, row + tokens_);
        }
        return out;
    }

    std::int32_t tokens() const { return tokens_; }

  private:
    static bool observe(ggml_tensor* node, bool ask, void* self) {
        return static_cast<runner*>(self)->observe_node(node, ask);
    }

    void correct(ggml_tensor* node) const {
        if (node->op != GGML_OP_SCALE) {
            return;
        }
        for (const auto& factor : seams_.factors) {
            const std::string wanted = factor.tensor + "-";
            if (std::string_view(node->name).starts_with(wanted) ||
                std::string_view(node->src[0]->name).starts_with(wanted)) {
                std::memcpy(node->op_params, &factor.by, sizeof(float));
            }
        }
    }

    bool observe_node(ggml_tensor* node, bool ask) {
        const bool in = seams_.inject == node->name;
        const bool out = seams_.capture == node->name;
        if (ask) {
            correct(node);
            return in || out;
        }
        if (in && ggml_is_contiguous(node) && ggml_nbytes(node) == in_.size() * sizeof(float)) {
            ggml_backend_tensor_set(node, in_.data(), 0, ggml_nbytes(node));
            taken_ = true;
        }
        if (out && node->type == GGML_TYPE_F32) {
            out_.resize(static_cast<std::size_t>(ggml_nelements(node)));
            ggml_backend_tensor_get(node, out_.data(), 0, ggml_nbytes(node));
        }
        return !out;
    }

    const gguf::stage_seams seams_;
    std::unique_ptr<llama_model, void (*)(llama_model*)> model_{nullptr, llama_model_free};
    std::unique_ptr<llama_context, void (*)(llama_context*)> context_{nullptr, llama_free};
    std::int32_t tokens_ = 0;
    bool taken_ = false;
    std::vector<float> in_;
    std::vector<float> out_;
};

namespace {

std::vector<llama_token> tokens_of(const step& s, std::size_t number, std::int32_t vocabulary) {
    std::vector<llama_token> out;
    for (std::int32_t i = 0; i < s.count; ++i) {
        out.push_back(static_cast<llama_token>((i * 31 + static_cast<std::int32_t>(number) * 17 + 7) % vocabulary));
    }
    return out;
}

// Every step through every runner, and the logits of each.
std::vector<std::vector<float>> run_script(const std::vector<runner*>& chain) {
    for (runner* r : chain) {
        r->restart();
    }
    std::vector<std::vector<float>> out;
    std::int32_t position = 0;
    std::size_t number = 0;
    for (step s : script) {
        s.first = position - s.forget;
        if (s.forget > 0) {
            // Recurrent states cannot go back: those models start again.
            bool kept = true;
            for (runner* r : chain) {
                kept = r->truncate(s.first) && kept;
            }
            for (runner* r : chain) {
                if (!kept) {
                    r->restart();
                }
            }
            s.first = kept ? s.first : 0;
        }
        const auto tokens = tokens_of(s, number++, chain.back()->tokens());
        std::vector<float> hidden;
        for (runner* r : chain) {
            r->run(s, tokens, hidden);
        }
        out.push_back(chain.back()->logits(s));
        position = s.first + s.count;
    }
    return out;
}

}  // namespace

comparison::comparison(std::filesystem::path model) : path_(std::move(model)) {
    auto header = gguf::read_header(path_);
    if (!header) {
        give_up(header.error().message);
    }
    header_ = std::move(*header);
    runner whole(path_, {});
    expected_ = run_script({&whole});
    const std::vector<float>& logits = expected_[0];
    if (!std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); }) ||
        std::all_of(logits.begin(), logits.end(), [&](float x) { return x == logits[0]; })) {
        give_up("the model's logits are not finite or all the same, so that they prove nothing");
    }
}

comparison::~comparison() = default;

runner& comparison::stage(gguf::layer_range layers) {
    auto& found = stages_[{layers.first, layers.end}];
    if (found) {
        return *found;
    }
    const auto plan = gguf::plan_slice(header_, layers, "");
    if (!plan) {
        give_up(plan.error().message);
    }
    std::filesystem::path slice = path_;
    slice += "." + std::to_string(layers.first) + "-" + std::to_string(layers.end);
    auto source = gguf::open_file(path_);
    if (!source) {
        give_up(source.error().message);
    }
    if (const auto done = gguf::write_slice(*plan, **source, slice); !done) {
        give_up(done.error().message);
    }
    const auto header = gguf::read_header(slice);
    if (!header) {
        give_up(header.error().message);
    }
    // What the product asks of every file before llama.cpp sees it. The tiny models have a tokenizer for tests only.
    const auto seams = gguf::seams_of(*header);
    if (!seams) {
        give_up(seams.error().message);
    }
    if (const auto checked = gguf::check_model(*header); !checked) {
        give_up("check_model refuses the slice: " + checked.error().message);
    }
    found = std::make_unique<runner>(slice, *seams);
    std::filesystem::remove(slice);
    return *found;
}

std::string comparison::compare(const std::vector<std::int32_t>& cuts) {
    std::vector<runner*> chain;
    std::int32_t first = 0;
    for (const std::int32_t cut : cuts) {
        chain.push_back(&stage({first, cut}));
        first = cut;
    }
    chain.push_back(&stage({first, static_cast<std::int32_t>(header_.layers())}));
    const auto got = run_script(chain);
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (got[i].size() != expected_[i].size() ||
            std::memcmp(got[i].data(), expected_[i].data(), got[i].size() * sizeof(float)) != 0) {
            double worst = 0;
            for (std::size_t k = 0; k < std::min(got[i].size(), expected_[i].size()); ++k) {
                worst = std::max(worst, static_cast<double>(std::abs(got[i][k] - expected_[i][k])));
            }
            return "step " + std::to_string(i) + " differs by up to " + std::to_string(worst);
        }
    }
    return {};
}

}  // namespace starling::architectures

// One loaded GGUF file: weights, vocabulary, chat template. Immutable once loaded, shared by the stages and the
// preparing pool; every member function may be called from any thread.
#pragma once

#include "engine/types.hpp"
#include "gguf/slice.hpp"
#include "llama/llama.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct llama_model;
struct llama_vocab;

namespace starling::llama {

class model {
  public:
    static result<std::shared_ptr<const model>> load(const engine_options& options, const load_progress& progress,
                                                     const log_sink& log);

    /// The vocabulary and the template alone: enough to turn text into tokens and back, and to draw tokens, where the
    /// layers are computed elsewhere.
    static result<std::shared_ptr<const model>> load_text(const engine_options& options);

    model(const model&) = delete;
    model& operator=(const model&) = delete;
    ~model();

    llama_model* handle() const { return model_; }
    const llama_vocab* vocab() const { return vocab_; }
    engine::model_info info() const;

    std::int32_t vocabulary_size() const;
    std::int32_t trained_context() const;

    /// False for models whose memory is a running state: a sequence cannot be cut back, only cleared.
    bool can_truncate() const;

    /// Positions that a layer with a sliding window still sees; 0 when every layer sees all. Not known to load_text().
    std::int32_t sliding_window() const;

    bool can_generate() const;

    /// Computes something from tokens in their order: whole models, and slices of them.
    bool can_decode() const;

    /// Where hidden states come in and leave; both empty for a whole model.
    const gguf::stage_seams& seams() const { return facts_.seams; }

    /// The weights are in memory of this process's own: computed here, and not mapped.
    bool in_memory() const { return where_.in_memory; }

    /// A GPU computes layers of it.
    bool on_gpu() const { return where_.on_gpu; }

    /// `parse_special`: control tokens written out in the text become those tokens (chat templates), else plain text.
    std::vector<engine::token_id> tokenize(std::string_view text, bool add_special, bool parse_special) const;

    /// The bytes of a token. Control tokens are empty unless `special`.
    std::string piece(engine::token_id token, bool special) const;

    bool ends_answer(engine::token_id token) const;

    /// The GGUF's Jinja template; empty when there is none.
    std::string chat_template() const;

  private:
    struct placement {
        bool on_gpu = false;
        bool in_memory = false;
    };
    struct file_facts {
        gguf::stage_seams seams;
        std::uint64_t parameters = 0;
        std::uint64_t tensor_bytes = 0;
        std::int32_t context_length = 0;
        std::int32_t layers = 0;
        std::int32_t embedding_length = 0;
    };
    model(llama_model* handle, const engine_options& options, placement where, file_facts facts);
    static result<std::shared_ptr<const model>> load_part(const engine_options& options, const load_progress& progress,
                                                          bool text_only);
    std::string metadata(const char* key) const;

    llama_model* model_;
    const llama_vocab* vocab_;
    std::string id_;
    std::string source_;
    placement where_;
    file_facts facts_;
};

}  // namespace starling::llama

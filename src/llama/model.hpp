// One loaded GGUF file: weights, vocabulary, chat template. Immutable once loaded, shared by the stages and the
// preparing pool; every member function may be called from any thread.
#pragma once

#include "engine/types.hpp"
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

    /// Positions that a layer with a sliding window still sees; 0 when every layer sees all.
    std::int32_t sliding_window() const;

    bool can_generate() const;

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
    model(llama_model* handle, const engine_options& options, placement where);
    std::string metadata(const char* key) const;

    llama_model* model_;
    const llama_vocab* vocab_;
    std::string id_;
    std::string source_;
    placement where_;
};

}  // namespace starling::llama

#include "llama/model.hpp"

#include "base/memory.hpp"
#include "gguf/gguf.hpp"
#include "llama/backend.hpp"

#include <fmt/format.h>
#include <llama.h>

#include <filesystem>
#include <utility>

namespace starling::llama {

namespace {

bool report_progress(float fraction, void* user_data) {
    const auto& progress = *static_cast<const load_progress*>(user_data);
    return !progress || progress(fraction);
}

/// Whether weights are read into memory of the process's own rather than mapped: wise only where memory is plenty,
/// because a mapped file can be dropped and read again.
bool fits_comfortably(const std::filesystem::path& file) {
    std::error_code unreadable;
    const std::uint64_t bytes = std::filesystem::file_size(file, unreadable);
    return !unreadable && bytes < machine_memory().available / 2;
}

}  // namespace

result<std::shared_ptr<const model>> model::load(const engine_options& options, const load_progress& progress,
                                                 const log_sink& log) {
    auto loaded = load_part(options, progress, false);
    if (loaded && log) {
        const auto info = (*loaded)->info();
        log(log_level::info, fmt::format("loaded {}: {}, {} layers, {:.1f} M parameters, {:.1f} MB", info.id,
                                         info.architecture, info.layers, static_cast<double>(info.parameters) / 1e6,
                                         static_cast<double>(info.size_bytes) / 1e6));
    }
    return loaded;
}

result<std::shared_ptr<const model>> model::load_text(const engine_options& options) {
    return load_part(options, {}, true);
}

result<std::shared_ptr<const model>> model::load_part(const engine_options& options, const load_progress& progress,
                                                      bool text_only) {
    // llama.cpp's reader has had memory-safety bugs: a file that our own bounded reader refuses never reaches it.
    const auto header = gguf::read_header(options.path);
    if (!header) {
        return header.error();
    }
    if (auto checked = gguf::check_model(*header); !checked) {
        return checked.error();
    }
    auto seams = gguf::seams_of(*header);
    if (!seams) {
        return seams.error();
    }
    start_backend();
    take_logged_error();

    bool given_up = false;
    const load_progress watched = [&](float fraction) {
        given_up = progress && !progress(fraction);
        return !given_up;
    };
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = options.gpu_layers;
    const bool on_gpu = options.gpu_layers != 0 && llama_supports_gpu_offload();
    const bool copied = !on_gpu && !text_only && fits_comfortably(options.path);
    params.vocab_only = text_only;
    if (copied) {
        params.load_mode = LLAMA_LOAD_MODE_NONE;
    }
    params.progress_callback = report_progress;
    params.progress_callback_user_data = const_cast<load_progress*>(&watched);

    llama_model* handle = nullptr;
    std::string reason;
    try {
        handle = llama_model_load_from_file(options.path.c_str(), params);
        reason = take_logged_error();
    } catch (const std::exception& e) {
        reason = e.what();
    }
    if (handle == nullptr) {
        if (given_up) {
            return fail(errc::cancelled, fmt::format("loading of {} was stopped", options.path.string()));
        }
        return fail(errc::load_failed, fmt::format("llama.cpp cannot load {}: {}", options.path.string(),
                                                   reason.empty() ? "it gave no reason" : reason));
    }
    return std::shared_ptr<const model>(
        new model(handle, options, {.on_gpu = on_gpu, .in_memory = copied},
                  {.seams = std::move(*seams),
                   .parameters = header->parameters(),
                   .tensor_bytes = header->tensor_bytes(),
                   .context_length = static_cast<std::int32_t>(header->context_length()),
                   .layers = static_cast<std::int32_t>(header->layers()),
                   .embedding_length = static_cast<std::int32_t>(header->embedding_length())}));
}

model::model(llama_model* handle, const engine_options& options, placement where, file_facts facts)
    : model_(handle),
      vocab_(llama_model_get_vocab(handle)),
      id_(options.id),
      source_(options.path.string()),
      where_(where),
      facts_(std::move(facts)) {}

model::~model() {
    llama_model_free(model_);
}

std::string model::metadata(const char* key) const {
    char buffer[256];
    const auto length = llama_model_meta_val_str(model_, key, buffer, sizeof buffer);
    return length < 0 ? std::string{} : std::string(buffer);
}

engine::model_info model::info() const {
    return {.id = id_,
            .source = source_,
            .architecture = metadata("general.architecture"),
            .parameters = facts_.parameters,
            .size_bytes = facts_.tensor_bytes,
            .context_length = trained_context(),
            .layers = facts_.layers,
            .embedding_length = facts_.embedding_length,
            .has_chat_template = !chat_template().empty()};
}

std::int32_t model::vocabulary_size() const {
    return llama_vocab_n_tokens(vocab_);
}

std::int32_t model::trained_context() const {
    return facts_.context_length;
}

bool model::can_truncate() const {
    return !llama_model_is_recurrent(model_) && !llama_model_is_hybrid(model_);
}

std::int32_t model::sliding_window() const {
    return llama_model_n_swa(model_);
}

bool model::can_decode() const {
    return llama_model_has_decoder(model_) && !llama_model_has_encoder(model_) && !llama_model_is_diffusion(model_);
}

bool model::can_generate() const {
    return can_decode() && llama_vocab_type(vocab_) != LLAMA_VOCAB_TYPE_NONE;
}

std::vector<engine::token_id> model::tokenize(std::string_view text, bool add_special, bool parse_special) const {
    const auto length = static_cast<std::int32_t>(text.size());
    std::vector<engine::token_id> tokens(text.size() + 2);
    auto count = llama_tokenize(vocab_, text.data(), length, tokens.data(), static_cast<std::int32_t>(tokens.size()),
                                add_special, parse_special);
    if (count < 0) {
        tokens.resize(static_cast<std::size_t>(-count));
        count = llama_tokenize(vocab_, text.data(), length, tokens.data(), -count, add_special, parse_special);
    }
    tokens.resize(static_cast<std::size_t>(count));
    return tokens;
}

std::string model::piece(engine::token_id token, bool special) const {
    char buffer[128];
    const auto length = llama_token_to_piece(vocab_, token, buffer, sizeof buffer, 0, special);
    if (length >= 0) {
        return {buffer, static_cast<std::size_t>(length)};
    }
    std::string text(static_cast<std::size_t>(-length), '\0');
    llama_token_to_piece(vocab_, token, text.data(), -length, 0, special);
    return text;
}

bool model::ends_answer(engine::token_id token) const {
    return llama_vocab_is_eog(vocab_, token);
}

std::string model::chat_template() const {
    const char* text = llama_model_chat_template(model_, nullptr);
    return text == nullptr ? std::string{} : std::string(text);
}

}  // namespace starling::llama

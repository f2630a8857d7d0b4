#include "gguf/check.hpp"
#include "gguf/header_reader.hpp"

#include <bitset>
#include <cmath>
#include <unordered_set>

namespace starling::gguf {

namespace {

constexpr std::size_t max_token_bytes = 65536;  // real ones are under 1 KB
constexpr std::int64_t byte_token = 6;          // LLAMA_TOKEN_TYPE_BYTE
constexpr std::uint32_t no_id = 0xFFFFFFFF;     // how converters write "none"

class tokenizer_checker {
  public:
    explicit tokenizer_checker(const file_header& header) : header_(header) {}

    result<void> run() {
        const value* model = header_.find("tokenizer.ggml.model");
        if (model == nullptr || !model->text()) {
            return fail(errc::corrupt,
                        "tokenizer.ggml.model is missing or not a string, so the model's text cannot be read");
        }
        model_ = *model->text();
        if (model_ == "none" || model_ == "no_vocab") {
            return without_vocabulary();
        }
        for (auto step : {&tokenizer_checker::tokens, &tokenizer_checker::scores, &tokenizer_checker::types,
                          &tokenizer_checker::merges, &tokenizer_checker::special_tokens,
                          &tokenizer_checker::byte_tokens, &tokenizer_checker::chat_template}) {
            if (auto done = (this->*step)(); !done) {
                return done;
            }
        }
        return {};
    }

  private:
    const array* list(std::string_view key) const {
        const value* found = header_.find(key);
        return found != nullptr ? std::get_if<array>(&found->held) : nullptr;
    }

    result<void> without_vocabulary() const;
    result<void> tokens();
    result<void> scores();
    result<void> types();
    result<void> merges();
    result<void> special_tokens();
    result<void> byte_tokens();
    result<void> chat_template();
    bool has_token(std::string_view key, std::int64_t otherwise) const;
    bool flag(std::string_view key, bool otherwise) const;

    const file_header& header_;
    std::string_view model_;
    const array* tokens_ = nullptr;
};

// Slices of a model that are not its first stage have none; llama.cpp makes as many dummies as vocab_size says.
result<void> tokenizer_checker::without_vocabulary() const {
    const value* size = header_.find_for_architecture("vocab_size");
    if (size != nullptr && (size->integer().value_or(-1) < 0 || *size->integer() > max_vocabulary)) {
        return fail(errc::corrupt, std::string(header_.architecture()) + ".vocab_size is not a number up to " +
                                       std::to_string(max_vocabulary));
    }
    return {};
}

result<void> tokenizer_checker::tokens() {
    tokens_ = list("tokenizer.ggml.tokens");
    if (tokens_ == nullptr || tokens_->type() != value_type::string || tokens_->empty()) {
        return fail(errc::corrupt, "tokenizer.ggml.tokens is missing, empty or not an array of strings");
    }
    if (static_cast<std::int64_t>(tokens_->size()) > max_vocabulary) {
        return fail(errc::corrupt, "the vocabulary has " + std::to_string(tokens_->size()) + " tokens; at most " +
                                       std::to_string(max_vocabulary) + " make sense");
    }
    std::unordered_set<std::string> seen;
    seen.reserve(tokens_->size());
    for (std::size_t i = 0; i < tokens_->size(); ++i) {
        const std::string_view text = *tokens_->text_at(i);
        if (text.size() > max_token_bytes) {
            return fail(errc::corrupt, "token " + std::to_string(i) + " has " + std::to_string(text.size()) + " bytes");
        }
        // llama.cpp gives empty tokens this name, and then wants all names to differ.
        if (!seen.insert(text.empty() ? "[EMPTY_" + std::to_string(i) + "]" : std::string(text)).second) {
            return fail(errc::corrupt,
                        "the token '" + shown(text) + "' (" + std::to_string(i) + ") is in the vocabulary twice");
        }
    }
    return {};
}

result<void> tokenizer_checker::scores() {
    const value* found = header_.find("tokenizer.ggml.scores");
    if (found == nullptr) {
        return {};
    }
    const array* scores = list("tokenizer.ggml.scores");
    if (scores == nullptr || (scores->type() != value_type::float32 && scores->type() != value_type::int32) ||
        scores->size() < tokens_->size()) {
        return fail(errc::corrupt, "tokenizer.ggml.scores is not an array of one number for each of the " +
                                       std::to_string(tokens_->size()) + " tokens");
    }
    for (std::size_t i = 0; i < scores->size(); ++i) {
        if (std::isnan(scores->number_at(i).value_or(0))) {
            return fail(errc::corrupt, "the score of token " + std::to_string(i) + " is not a number");
        }
    }
    return {};
}

result<void> tokenizer_checker::types() {
    const value* found = header_.find("tokenizer.ggml.token_type");
    if (found == nullptr) {
        return {};
    }
    const array* types = list("tokenizer.ggml.token_type");
    if (types == nullptr || types->type() != value_type::int32 || types->size() < tokens_->size()) {
        return fail(errc::corrupt, "tokenizer.ggml.token_type is not an array of one i32 for each of the " +
                                       std::to_string(tokens_->size()) + " tokens");
    }
    for (std::size_t i = 0; i < tokens_->size(); ++i) {
        // llama.cpp reads two hexadecimal digits after "<0x", and aborts where a tokenizer has no such tokens.
        if (types->integer_at(i) == byte_token && (model_ == "bert" || tokens_->text_at(i)->size() < 3)) {
            return fail(errc::corrupt, "token " + std::to_string(i) + " is said to be a byte and is '" +
                                           shown(*tokens_->text_at(i)) + "'");
        }
    }
    return {};
}

result<void> tokenizer_checker::merges() {
    const value* found = header_.find("tokenizer.ggml.merges");
    const bool needed = model_ == "gpt2" || model_ == "gemma4" || model_ == "hybriddna" || model_ == "whitespace";
    if (found == nullptr) {
        const value* pre = header_.find("tokenizer.ggml.pre");
        const bool without = pre != nullptr && pre->text() && *pre->text() == "kimi-k2";
        return needed && !without ? fail(errc::corrupt, "tokenizer.ggml.merges is missing") : result<void>();
    }
    const array* merges = list("tokenizer.ggml.merges");
    if (needed && (merges == nullptr || merges->type() != value_type::string)) {
        return fail(errc::corrupt, "tokenizer.ggml.merges is not an array of strings");
    }
    return {};
}

bool tokenizer_checker::has_token(std::string_view key, std::int64_t otherwise) const {
    const value* found = header_.find(key);
    const auto* id = found != nullptr ? std::get_if<std::uint32_t>(&found->held) : nullptr;
    const auto size = static_cast<std::int64_t>(tokens_->size());
    return (id != nullptr && *id < size) || (otherwise >= 0 && otherwise < size);
}

bool tokenizer_checker::flag(std::string_view key, bool otherwise) const {
    const value* found = header_.find(key);
    const auto* given = found != nullptr ? std::get_if<bool>(&found->held) : nullptr;
    return given != nullptr ? *given : otherwise;
}

result<void> tokenizer_checker::special_tokens() {
    for (const char* key :
         {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
        const value* found = header_.find(key);
        if (found == nullptr) {
            continue;
        }
        const auto* id = std::get_if<std::uint32_t>(&found->held);
        if (id == nullptr || (*id >= tokens_->size() && *id != no_id)) {
            return fail(errc::corrupt, std::string(key) +
                                           (id == nullptr ? " is not a u32" : " is " + std::to_string(*id)) +
                                           ", and the vocabulary has " + std::to_string(tokens_->size()) + " tokens");
        }
    }
    // What llama.cpp assumes where the file says nothing, and asserts when it comes to tokenizing. Which tokenizers of
    // the gpt2 kind add a token by themselves depends on their splitting rules, so each of them is taken to.
    const bool llama = model_ == "llama" || model_ == "plamo2";
    const bool gpt2 = model_ == "gpt2" || model_ == "hybriddna" || model_ == "whitespace";
    const bool bert = model_ == "bert";
    const bool adds_first = bert || flag("tokenizer.ggml.add_bos_token", llama || gpt2) || model_ == "gemma4";
    if (adds_first && !has_token("tokenizer.ggml.bos_token_id", llama ? 1 : gpt2 ? 11 : bert ? 101 : -1)) {
        return fail(errc::corrupt,
                    "the tokenizer puts a first token before every text, but tokenizer.ggml.bos_token_id names none");
    }
    if (bert && !has_token("tokenizer.ggml.seperator_token_id", 102)) {
        return fail(errc::corrupt,
                    "the tokenizer ends every text with a separator, but tokenizer.ggml.seperator_token_id names none");
    }
    const bool t5 = model_ == "t5";
    if (flag("tokenizer.ggml.add_eos_token", t5) && !has_token("tokenizer.ggml.eos_token_id", llama  ? 2
                                                                                              : gpt2 ? 11
                                                                                              : t5   ? 1
                                                                                                     : -1)) {
        return fail(errc::corrupt,
                    "the tokenizer puts a last token after every text, but tokenizer.ggml.eos_token_id names none");
    }
    return {};
}

// The first byte of a token of the "rwkv" tokenizer, which escapes as C does.
unsigned char first_byte(std::string_view text, bool& alone) {
    const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0; };
    std::size_t used = 1;
    auto byte = static_cast<unsigned char>(text[0]);
    if (text[0] == '\\' && text.size() > 1) {
        used = 2;
        byte = static_cast<unsigned char>(text[1]);
        if (text[1] == 't') {
            byte = '\t';
        } else if (text[1] == 'n') {
            byte = '\n';
        } else if (text[1] == 'r') {
            byte = '\r';
        } else if (text[1] == 'x' && text.size() > 3) {
            used = 4;
            byte = static_cast<unsigned char>(hex(text[2]) * 16 + hex(text[3]));
        }
    }
    alone = text.size() == used;
    return byte;
}

// Its search goes on for ever at a byte that begins a token and is none itself.
result<void> tokenizer_checker::byte_tokens() {
    if (model_ != "rwkv") {
        return {};
    }
    std::bitset<256> begins;
    std::bitset<256> single;
    for (std::size_t i = 0; i < tokens_->size(); ++i) {
        const std::string_view text = *tokens_->text_at(i);
        if (text.empty()) {
            continue;
        }
        bool alone = false;
        const unsigned char byte = first_byte(text, alone);
        (alone ? single : begins).set(byte);
    }
    if ((begins & ~single).any()) {
        return fail(errc::corrupt, "the vocabulary has tokens that begin with a byte which is no token itself");
    }
    return {};
}

result<void> tokenizer_checker::chat_template() {
    const value* found = header_.find("tokenizer.chat_template");
    if (found != nullptr && !found->text()) {
        return fail(errc::corrupt, "tokenizer.chat_template has the type " + std::string(name_of(found->type())) +
                                       " instead of string");
    }
    return {};
}

}  // namespace

result<void> check_tokenizer(const file_header& header) {
    return tokenizer_checker(header).run();
}

}  // namespace starling::gguf

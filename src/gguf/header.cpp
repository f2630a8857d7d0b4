#include "gguf/gguf.hpp"

#include <algorithm>
#include <map>

namespace starling::gguf {

namespace {

std::string_view text_or_empty(const value* found) {
    const auto text = found != nullptr ? found->text() : std::nullopt;
    return text.value_or(std::string_view());
}

}  // namespace

const value* file_header::find(std::string_view key) const {
    const auto found =
        std::find_if(metadata.begin(), metadata.end(), [&](const metadata_entry& e) { return e.key == key; });
    return found != metadata.end() ? &found->value : nullptr;
}

const value* file_header::find_for_architecture(std::string_view suffix) const {
    std::string key(architecture());
    key += '.';
    key += suffix;
    return find(key);
}

const tensor_info* file_header::find_tensor(std::string_view wanted) const {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const tensor_info& t) { return t.name == wanted; });
    return found != tensors.end() ? &*found : nullptr;
}

std::optional<std::int64_t> file_header::integer_of(std::string_view suffix) const {
    const value* found = find_for_architecture(suffix);
    return found != nullptr ? found->integer() : std::nullopt;
}

std::int64_t file_header::per_layer(std::string_view suffix, std::int64_t layer) const {
    const value* found = find_for_architecture(suffix);
    if (found == nullptr) {
        return 0;
    }
    const auto* list = std::get_if<array>(&found->held);
    if (list == nullptr) {
        return found->integer().value_or(0);
    }
    const auto i = static_cast<std::size_t>(layer);
    return layer >= 0 && i < list->size() ? list->integer_at(i).value_or(0) : 0;
}

std::string_view file_header::architecture() const {
    return text_or_empty(find("general.architecture"));
}

std::string_view file_header::name() const {
    return text_or_empty(find("general.name"));
}

std::string_view file_header::chat_template() const {
    return text_or_empty(find("tokenizer.chat_template"));
}

std::int64_t file_header::layers() const {
    return integer_of("block_count").value_or(0);
}

std::int64_t file_header::context_length() const {
    return integer_of("context_length").value_or(0);
}

std::int64_t file_header::embedding_length() const {
    return integer_of("embedding_length").value_or(0);
}

std::int64_t file_header::vocabulary_size() const {
    const value* tokens = find("tokenizer.ggml.tokens");
    if (tokens != nullptr) {
        if (const auto* list = std::get_if<array>(&tokens->held)) {
            return static_cast<std::int64_t>(list->size());
        }
    }
    return integer_of("vocab_size").value_or(0);
}

std::int64_t file_header::experts() const {
    return integer_of("expert_count").value_or(0);
}

std::int64_t file_header::heads(std::int64_t layer) const {
    return per_layer("attention.head_count", layer);
}

std::int64_t file_header::kv_heads(std::int64_t layer) const {
    return find_for_architecture("attention.head_count_kv") != nullptr ? per_layer("attention.head_count_kv", layer)
                                                                       : heads(layer);
}

std::int64_t file_header::key_length() const {
    const auto given = integer_of("attention.key_length");
    return given ? *given : heads(0) > 0 ? embedding_length() / heads(0) : 0;
}

std::int64_t file_header::value_length() const {
    const auto given = integer_of("attention.value_length");
    return given ? *given : heads(0) > 0 ? embedding_length() / heads(0) : 0;
}

// Sums cannot overflow: the parser has seen that all tensors lie inside the file, one after the other, and an element
// takes at least an eighth of a byte.
std::uint64_t file_header::parameters() const {
    std::uint64_t sum = 0;
    for (const tensor_info& tensor : tensors) {
        sum += tensor.elements();
    }
    return sum;
}

std::uint64_t file_header::tensor_bytes() const {
    std::uint64_t sum = 0;
    for (const tensor_info& tensor : tensors) {
        sum += tensor.bytes;
    }
    return sum;
}

std::string_view file_header::dominant_type() const {
    std::map<tensor_type, std::uint64_t> bytes;
    for (const tensor_info& tensor : tensors) {
        bytes[tensor.type] += tensor.bytes;
    }
    const auto most =
        std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == bytes.end()) {
        return "";
    }
    const auto info = find_tensor_type(most->first);
    return info ? info->name : std::string_view();
}

}  // namespace starling::gguf

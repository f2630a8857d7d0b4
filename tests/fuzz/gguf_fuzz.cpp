// The GGUF header parser and the model check on arbitrary bytes. The first two bytes choose how much larger the file is
// than what is given of it, so that prefixes are tried too.
#include "gguf/gguf.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace starling;
    if (size < 2) {
        return 0;
    }
    const std::uint64_t beyond = static_cast<std::uint64_t>(data[0]) << (data[1] % 56);
    const std::span given(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
    const auto header = gguf::parse_header(given, given.size() + beyond);
    if (!header) {
        return 0;
    }
    // What the parser lets through must hold.
    std::uint64_t end = header->data_offset;
    for (const gguf::tensor_info& tensor : header->tensors) {
        if (header->data_offset + tensor.offset < end ||
            header->data_offset + tensor.offset + tensor.bytes > header->file_size) {
            std::abort();
        }
        end = header->data_offset + tensor.offset + tensor.bytes;
    }
    for (std::int64_t layer = 0; layer < 3; ++layer) {
        (void)header->heads(layer);
        (void)header->kv_heads(layer);
    }
    (void)header->key_length();
    (void)header->value_length();
    (void)header->parameters();
    (void)header->dominant_type();
    (void)header->chat_template();
    if (const auto checked = gguf::check_model(*header); !checked && checked.error().message.empty()) {
        std::abort();
    }
    return 0;
}

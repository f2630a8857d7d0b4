// A bounded reader of GGUF headers. It trusts nothing in the file: every length is compared with the bytes that are
// left before memory is taken for it, so that reading takes no more memory than the header has bytes, whatever it
// claims. It runs before llama.cpp's own reader sees a file.
//
// Pure but for `read_header`, which opens a file. Any thread. Called by: llama (before loading), models (downloads,
// lists, memory fit), and later by the slicer, which writes headers back: values keep the types they have in the file.
//
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
#pragma once

#include "base/result.hpp"
#include "gguf/errc.hpp"
#include "gguf/types.hpp"
#include "gguf/value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::gguf {

/// Metadata of real models is under 64 MB, its vocabulary nearly all of it.
inline constexpr std::uint64_t max_header_bytes = 256ULL << 20;
/// Real models have under 100; llama.cpp compares each with each.
inline constexpr std::uint64_t max_metadata_entries = 8192;
/// The largest models have a few thousand; llama.cpp compares each with each.
inline constexpr std::uint64_t max_tensors = 32768;
/// The format's own limit.
inline constexpr std::uint64_t max_key_bytes = 65535;
/// A chat template is the longest string of a real model, under 100 KB.
inline constexpr std::uint64_t max_string_bytes = 16ULL << 20;
/// ggml keeps 64 bytes for a name, with its end.
inline constexpr std::uint64_t max_tensor_name_bytes = 63;
inline constexpr std::uint32_t max_dimensions = 4;
inline constexpr std::uint32_t default_alignment = 32;
inline constexpr std::uint32_t max_alignment = 1U << 20;

struct metadata_entry {
    std::string key;
    gguf::value value;
};

struct tensor_info {
    std::string name;
    tensor_type type = 0;
    std::uint32_t dimensions = 0;                                 // 0 to 4
    std::array<std::uint64_t, max_dimensions> shape{1, 1, 1, 1};  // elements, fastest first; 1 beyond `dimensions`
    std::uint64_t offset = 0;                                     // bytes from the start of the data section
    std::uint64_t bytes = 0;

    std::uint64_t elements() const { return shape[0] * shape[1] * shape[2] * shape[3]; }  // checked: does not overflow
};

/// What the file says about itself, in file order. Integers that the file holds in an unexpected type or range are
/// given as nothing by the getters; `check_model` says what is wrong with them.
struct file_header {
    std::uint32_t version = 3;
    std::uint32_t alignment = default_alignment;
    std::uint64_t header_bytes = 0;  // up to the end of the tensor list, without padding
    std::uint64_t data_offset = 0;   // where tensor data begins
    std::uint64_t file_size = 0;
    std::vector<metadata_entry> metadata;
    std::vector<tensor_info> tensors;

    const value* find(std::string_view key) const;
    /// "<architecture>.<suffix>"
    const value* find_for_architecture(std::string_view suffix) const;
    const tensor_info* find_tensor(std::string_view name) const;

    std::string_view architecture() const;   // empty when missing
    std::string_view name() const;           // general.name; empty when missing
    std::string_view chat_template() const;  // tokenizer.chat_template; empty when missing
    std::int64_t layers() const;             // block_count; 0 when missing
    std::int64_t context_length() const;     // tokens, as trained; 0 when missing
    std::int64_t embedding_length() const;
    std::int64_t vocabulary_size() const;  // tokens listed, else vocab_size
    std::int64_t experts() const;
    // Of one layer, 0 <= layer < layers(); 0 when missing.
    std::int64_t heads(std::int64_t layer) const;
    std::int64_t kv_heads(std::int64_t layer) const;  // as many as heads() when the file does not say
    std::int64_t key_length() const;                  // elements of one head; embedding / heads when not given
    std::int64_t value_length() const;
    std::uint64_t parameters() const;    // elements of all tensors
    std::uint64_t tensor_bytes() const;  // of all tensors, without padding
    /// The type that most bytes of the file have, like "q8_0".
    std::string_view dominant_type() const;

  private:
    std::optional<std::int64_t> integer_of(std::string_view suffix) const;
    std::int64_t per_layer(std::string_view suffix, std::int64_t layer) const;
};

/// A stream of bytes from the start of a file.
class byte_source {
  public:
    byte_source() = default;
    byte_source(const byte_source&) = delete;
    byte_source& operator=(const byte_source&) = delete;
    virtual ~byte_source() = default;

    /// Fills `into` as far as it can; less than its size only at the end.
    virtual std::size_t read(std::span<std::byte> into) = 0;
};

/// The pure core. `file_size` is the size of the whole file, of which `from` may hold a prefix: errc::incomplete when
/// the header goes on after it.
result<file_header> parse_header(byte_source& from, std::uint64_t file_size);
result<file_header> parse_header(std::span<const std::byte> prefix, std::uint64_t file_size);

/// Reads and checks the header of a file. The message names the file.
result<file_header> read_header(const std::filesystem::path& path);

/// Whether llama.cpp can be trusted with this model: everything that would make it abort the process, or take memory
/// without bound, is refused here with one sentence. What llama.cpp itself reports as an error is left to it, unless
/// our sentence is clearer.
result<void> check_model(const file_header& header);

}  // namespace starling::gguf

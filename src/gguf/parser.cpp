#include "gguf/header_reader.hpp"

#include <cstring>
#include <limits>
#include <unordered_set>

namespace starling::gguf {

namespace {

constexpr std::uint32_t magic = 0x46554747;  // "GGUF"

class parser {
  public:
    parser(byte_source& from, std::uint64_t file_size) : in_(from, file_size) { out_.file_size = file_size; }

    result<file_header> run() {
        for (auto step : {&parser::read_start, &parser::read_metadata, &parser::find_alignment, &parser::read_tensors,
                          &parser::place_tensors}) {
            if (auto done = (this->*step)(); !done) {
                return done.error();
            }
        }
        return std::move(out_);
    }

  private:
    result<void> read_start();
    result<void> read_metadata();
    result<void> read_entry(std::uint64_t index);
    result<value> read_value(value_type type, const std::string& key);
    template <class T>
    result<value> read_scalar();
    result<value> read_array(const std::string& key);
    result<value> read_strings(std::uint64_t count, const std::string& what);
    result<void> find_alignment();
    result<void> read_tensors();
    result<void> read_tensor(std::uint64_t index);
    result<void> read_shape(tensor_info& tensor);
    result<void> measure(tensor_info& tensor);
    result<void> place_tensors();

    header_reader in_;
    file_header out_;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t metadata_count_ = 0;
    // Of names already seen; the strings themselves lie in out_, which may move them.
    std::unordered_set<std::string> seen_;
};

bool is_plain_name(std::string_view name) {
    for (const char c : name) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
            return false;
        }
    }
    return !name.empty();
}

// False on overflow.
bool multiply(std::uint64_t& product, std::uint64_t factor) {
    if (factor != 0 && product > std::numeric_limits<std::int64_t>::max() / factor) {
        return false;
    }
    product *= factor;
    return true;
}

result<void> parser::read_start() {
    const auto first = in_.number<std::uint32_t>();
    if (!first) {
        return first.error() == errc::truncated ? fail(errc::not_a_gguf, "the file is too short to be a GGUF model")
                                                : first.error();
    }
    if (*first != magic) {
        return fail(errc::not_a_gguf, "the file does not begin with 'GGUF', so it is not a GGUF model");
    }
    const auto version = in_.number<std::uint32_t>();
    if (!version) {
        return version.error();
    }
    if ((*version & 0xFFFFU) == 0) {
        return fail(errc::unsupported_version,
                    "the file was written for big-endian machines; convert it to little-endian");
    }
    if (*version != 2 && *version != 3) {
        return fail(errc::unsupported_version,
                    "the file has GGUF version " + std::to_string(*version) + "; versions 2 and 3 can be read");
    }
    out_.version = *version;
    const auto tensors = in_.number<std::uint64_t>();
    const auto metadata = tensors ? in_.number<std::uint64_t>() : tensors;
    if (!metadata) {
        return metadata.error();
    }
    if (*metadata > max_metadata_entries || *tensors > max_tensors) {
        return fail(errc::corrupt, "the header claims " + std::to_string(*metadata) + " metadata entries and " +
                                       std::to_string(*tensors) + " tensors; at most " +
                                       std::to_string(max_metadata_entries) + " and " + std::to_string(max_tensors) +
                                       " are read");
    }
    metadata_count_ = *metadata;
    tensor_count_ = *tensors;
    return {};
}

result<void> parser::read_metadata() {
    for (std::uint64_t i = 0; i < metadata_count_; ++i) {
        if (auto done = read_entry(i); !done) {
            return done;
        }
    }
    return {};
}

result<void> parser::read_entry(std::uint64_t index) {
    auto key = in_.string(max_key_bytes, "the key of metadata entry " + std::to_string(index));
    if (!key) {
        return key.error();
    }
    if (!is_plain_name(*key)) {
        return fail(errc::corrupt,
                    "the key of metadata entry " + std::to_string(index) + " is empty or has control characters");
    }
    if (!seen_.insert(*key).second) {
        return fail(errc::corrupt, "the metadata key '" + shown(*key) + "' is there twice");
    }
    const auto type = in_.number<std::uint32_t>();
    if (!type) {
        return type.error();
    }
    auto read = read_value(static_cast<value_type>(*type), *key);
    if (!read) {
        return read.error();
    }
    out_.metadata.push_back({std::move(*key), std::move(*read)});
    return {};
}

template <class T>
result<value> parser::read_scalar() {
    const auto read = in_.number<T>();
    if (!read) {
        return read.error();
    }
    return value{*read};
}

result<value> parser::read_value(value_type type, const std::string& key) {
    switch (type) {
        case value_type::uint8: return read_scalar<std::uint8_t>();
        case value_type::int8: return read_scalar<std::int8_t>();
        case value_type::uint16: return read_scalar<std::uint16_t>();
        case value_type::int16: return read_scalar<std::int16_t>();
        case value_type::uint32: return read_scalar<std::uint32_t>();
        case value_type::int32: return read_scalar<std::int32_t>();
        case value_type::float32: return read_scalar<float>();
        case value_type::uint64: return read_scalar<std::uint64_t>();
        case value_type::int64: return read_scalar<std::int64_t>();
        case value_type::float64: return read_scalar<double>();
        case value_type::array: return read_array(key);
        case value_type::boolean: {
            const auto read = in_.number<std::uint8_t>();
            if (!read) {
                return read.error();
            }
            if (*read > 1) {
                return fail(errc::corrupt, "'" + shown(key) + "' is a boolean with the value " + std::to_string(*read));
            }
            return value{*read == 1};
        }
        case value_type::string: {
            auto read = in_.string(max_string_bytes, "the value of '" + shown(key) + "'");
            if (!read) {
                return read.error();
            }
            return value{std::move(*read)};
        }
    }
    return fail(errc::corrupt,
                "'" + shown(key) + "' has the unknown value type " + std::to_string(static_cast<std::uint32_t>(type)));
}

result<value> parser::read_array(const std::string& key) {
    const auto number = in_.number<std::uint32_t>();
    if (!number) {
        return number.error();
    }
    const auto count = in_.number<std::uint64_t>();
    if (!count) {
        return count.error();
    }
    const auto type = static_cast<value_type>(*number);
    const std::string what = "the array '" + shown(key) + "'";
    if (type == value_type::string) {
        return read_strings(*count, what);
    }
    const std::size_t size = fixed_size(type);
    if (size == 0) {
        return fail(errc::corrupt,
                    what + (type == value_type::array ? " holds arrays, which no model does"
                                                      : " has the unknown element type " + std::to_string(*number)));
    }
    if (*count > in_.left() / size) {
        return fail(errc::truncated, what + " claims " + std::to_string(*count) + " elements, but the file has only " +
                                         std::to_string(in_.left()) + " bytes left");
    }
    auto read = in_.bytes(*count * size, what);
    if (!read) {
        return read.error();
    }
    if (type == value_type::boolean) {
        for (const char c : *read) {
            if (c != 0 && c != 1) {
                return fail(errc::corrupt, what + " is of booleans and holds other values");
            }
        }
    }
    return value{array::of_scalars(type, std::move(*read))};
}

result<value> parser::read_strings(std::uint64_t count, const std::string& what) {
    if (count > in_.left() / sizeof(std::uint64_t)) {
        return fail(errc::truncated, what + " claims " + std::to_string(count) + " strings, but the file has only " +
                                         std::to_string(in_.left()) + " bytes left");
    }
    std::string text;
    std::vector<std::uint32_t> ends;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (auto done = in_.append_string(text, max_string_bytes, "a string of " + what); !done) {
            return done.error();
        }
        // Fits: the header as a whole is limited to far less than 4 GiB.
        ends.push_back(static_cast<std::uint32_t>(text.size()));
    }
    return value{array::of_strings(std::move(text), std::move(ends))};
}

result<void> parser::find_alignment() {
    const value* found = out_.find("general.alignment");
    if (found == nullptr) {
        return {};
    }
    const auto* alignment = std::get_if<std::uint32_t>(&found->held);
    if (alignment == nullptr) {
        return fail(errc::corrupt,
                    "general.alignment has the type " + std::string(name_of(found->type())) + " instead of u32");
    }
    if (*alignment == 0 || (*alignment & (*alignment - 1)) != 0 || *alignment > max_alignment) {
        return fail(errc::corrupt, "general.alignment is " + std::to_string(*alignment) +
                                       "; it must be a power of two up to " + std::to_string(max_alignment));
    }
    out_.alignment = *alignment;
    return {};
}

result<void> parser::read_tensors() {
    seen_.clear();
    for (std::uint64_t i = 0; i < tensor_count_; ++i) {
        if (auto done = read_tensor(i); !done) {
            return done;
        }
    }
    seen_.clear();
    return {};
}

result<void> parser::read_tensor(std::uint64_t index) {
    tensor_info tensor;
    auto name = in_.string(max_tensor_name_bytes, "the name of tensor " + std::to_string(index));
    if (!name) {
        return name.error();
    }
    if (!is_plain_name(*name)) {
        return fail(errc::corrupt,
                    "the name of tensor " + std::to_string(index) + " is empty or has control characters");
    }
    if (!seen_.insert(*name).second) {
        return fail(errc::corrupt, "the tensor '" + shown(*name) + "' is there twice");
    }
    tensor.name = std::move(*name);
    if (auto done = read_shape(tensor); !done) {
        return done;
    }
    const auto type = in_.number<std::uint32_t>();
    const auto offset = type ? in_.number<std::uint64_t>() : result<std::uint64_t>(type.error());
    if (!offset) {
        return offset.error();
    }
    tensor.type = *type;
    tensor.offset = *offset;
    if (auto done = measure(tensor); !done) {
        return done;
    }
    out_.tensors.push_back(std::move(tensor));
    return {};
}

result<void> parser::read_shape(tensor_info& tensor) {
    const auto dimensions = in_.number<std::uint32_t>();
    if (!dimensions) {
        return dimensions.error();
    }
    if (*dimensions > max_dimensions) {
        return fail(errc::corrupt, "the tensor '" + shown(tensor.name) + "' claims " + std::to_string(*dimensions) +
                                       " dimensions; at most " + std::to_string(max_dimensions) + " are possible");
    }
    tensor.dimensions = *dimensions;
    for (std::uint32_t i = 0; i < *dimensions; ++i) {
        const auto extent = in_.number<std::uint64_t>();
        if (!extent) {
            return extent.error();
        }
        tensor.shape[i] = *extent;
    }
    return {};
}

result<void> parser::measure(tensor_info& tensor) {
    const std::string what = "the tensor '" + shown(tensor.name) + "'";
    const auto type = find_tensor_type(tensor.type);
    if (!type) {
        return fail(errc::corrupt, what + " has the unknown type " + std::to_string(tensor.type));
    }
    std::uint64_t elements = 1;
    // Extents are multiplied on their own first, so that a zero cannot hide an overflow in the others.
    std::uint64_t without_zeros = 1;
    for (const std::uint64_t extent : tensor.shape) {
        if (!multiply(without_zeros, extent == 0 ? 1 : extent)) {
            return fail(errc::corrupt, what + " has more elements than can be counted");
        }
        elements *= extent;
    }
    if (tensor.shape[0] % type->block_elements != 0) {
        return fail(errc::corrupt, what + " has rows of " + std::to_string(tensor.shape[0]) +
                                       " elements, which the blocks of " + std::string(type->name) + " do not divide");
    }
    std::uint64_t bytes = elements / type->block_elements;
    if (!multiply(bytes, type->block_bytes)) {
        return fail(errc::corrupt, what + " has more bytes than can be counted");
    }
    tensor.bytes = bytes;
    return {};
}

// Tensors lie one after the other, each padded to the alignment: llama.cpp reads no other layout, and so nothing
// overlaps and no sum overflows.
result<void> parser::place_tensors() {
    const auto padded = [&](std::uint64_t bytes) {
        return (bytes + out_.alignment - 1) / out_.alignment * out_.alignment;
    };
    out_.header_bytes = in_.position();
    out_.data_offset = out_.tensors.empty() ? in_.position() : padded(in_.position());
    std::uint64_t end = 0;
    for (const tensor_info& tensor : out_.tensors) {
        const std::string what = "the tensor '" + shown(tensor.name) + "'";
        if (tensor.offset != end) {
            return fail(errc::corrupt, what + " is said to begin at byte " + std::to_string(tensor.offset) +
                                           " of the data, but the one before it ends at " + std::to_string(end));
        }
        if (out_.data_offset > out_.file_size || tensor.bytes > out_.file_size - out_.data_offset ||
            end > out_.file_size - out_.data_offset - tensor.bytes) {
            return fail(errc::truncated, "the file ends at byte " + std::to_string(out_.file_size) +
                                             ", before the end of " + what + ", which takes " +
                                             std::to_string(tensor.bytes) + " bytes; fetch it again");
        }
        end = padded(end + tensor.bytes);
    }
    return {};
}

class span_source final : public byte_source {
  public:
    explicit span_source(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::size_t read(std::span<std::byte> into) override {
        const std::size_t count = std::min(into.size(), bytes_.size());
        if (count > 0) {
            std::memcpy(into.data(), bytes_.data(), count);
        }
        bytes_ = bytes_.subspan(count);
        return count;
    }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace

result<file_header> parse_header(byte_source& from, std::uint64_t file_size) {
    // So that no sum of an offset and a padded size overflows.
    if (file_size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(errc::corrupt, "no file has " + std::to_string(file_size) + " bytes");
    }
    return parser(from, file_size).run();
}

result<file_header> parse_header(std::span<const std::byte> prefix, std::uint64_t file_size) {
    span_source from(prefix.first(std::min<std::uint64_t>(prefix.size(), file_size)));
    return parse_header(from, file_size);
}

}  // namespace starling::gguf

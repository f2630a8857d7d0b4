#include "openai/answer.hpp"
#include "openai/json_text.hpp"

#include <bit>
#include <cstring>

namespace starling::openai {

namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Little-endian float32, as the official clients decode it.
std::string float_bytes(std::span<const float> vector) {
    std::string bytes;
    bytes.reserve(vector.size() * sizeof(float));
    for (const float value : vector) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            bytes += static_cast<char>((bits >> shift) & 0xFFU);
        }
    }
    return bytes;
}

/// RFC 4648, with padding.
void append_base64(std::string& out, std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8) | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= have ? base64_digits[(group >> (18 - 6 * k)) & 0x3FU] : '=';
        }
    }
}

void append_vector(std::string& out, std::span<const float> vector, embedding_encoding encoding) {
    if (encoding == embedding_encoding::base64) {
        out += '"';
        append_base64(out, float_bytes(vector));
        out += '"';
        return;
    }
    out += '[';
    for (std::size_t i = 0; i < vector.size(); ++i) {
        out += i == 0 ? "" : ",";
        append_json_float(out, vector[i]);
    }
    out += ']';
}

}  // namespace

std::string embeddings_answer(std::string_view model, const engine::embedding_result& result,
                              embedding_encoding encoding) {
    std::string out = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < result.vectors.size(); ++i) {
        out += i == 0 ? "" : ",";
        out += R"({"object":"embedding","index":)";
        append_json_int(out, static_cast<std::int64_t>(i));
        out += R"(,"embedding":)";
        append_vector(out, result.vectors[i], encoding);
        out += '}';
    }
    out += R"(],"model":)";
    append_json_string(out, model);
    out += R"(,"usage":{"prompt_tokens":)";
    append_json_int(out, result.prompt_tokens);
    out += R"(,"total_tokens":)";
    append_json_int(out, result.prompt_tokens);
    out += "}}";
    return out;
}

}  // namespace starling::openai

// Why a model could not be loaded.
#pragma once

#include "base/result.hpp"

namespace starling::llama {

enum class errc {
    cannot_open = 1,
    not_a_gguf,
    unsupported,  // an architecture or a kind of model that cannot serve here
    truncated,
    corrupt,
    too_large_for_memory,
    load_failed,
    cancelled,
};

constexpr const char* category_name(errc) {
    return "llama";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::cannot_open: return "cannot open the model file";
        case errc::not_a_gguf: return "not a GGUF file";
        case errc::unsupported: return "not supported";
        case errc::truncated: return "truncated model file";
        case errc::corrupt: return "corrupt model file";
        case errc::too_large_for_memory: return "too large for memory";
        case errc::load_failed: return "model load failed";
        case errc::cancelled: return "load cancelled";
    }
    return "unknown error";
}

}  // namespace starling::llama

template <>
struct std::is_error_code_enum<starling::llama::errc> : std::true_type {};

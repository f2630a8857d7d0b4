// Why a model could not be loaded, or computed. What the GGUF file itself does wrong is said with gguf::errc.
#pragma once

#include "base/result.hpp"

namespace starling::llama {

enum class errc {
    load_failed = 1,  // llama.cpp's own complaint is in the message
    cancelled,        // the progress callback gave the load up
    stages_lost,      // of a split model: what was on its way through them is gone
    draft_unusable,   // the draft model does not go with the model it is to draft for
};

constexpr const char* category_name(errc) {
    return "llama";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::load_failed: return "model load failed";
        case errc::cancelled: return "load cancelled";
        case errc::stages_lost: return "stages lost";
        case errc::draft_unusable: return "draft model cannot be used";
    }
    return "unknown error";
}

}  // namespace starling::llama

template <>
struct std::is_error_code_enum<starling::llama::errc> : std::true_type {};

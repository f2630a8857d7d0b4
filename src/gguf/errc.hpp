// What can be wrong with a GGUF file.
#pragma once

#include "base/result.hpp"

namespace starling::gguf {

enum class errc {
    cannot_open = 1,      // missing, not readable, or not a regular file
    not_a_gguf,           // the first bytes are not GGUF
    unsupported_version,  // not version 2 or 3, or the other byte order
    truncated,            // the file ends before the header or the tensors do
    incomplete,           // only a prefix was given, and the header goes on after it
    corrupt,              // contradicts itself or the format
    unsupported,          // a valid file that llama.cpp v0.5.0 cannot run
    cannot_split,         // a model that cannot be cut by layers, or not there
    io_failed,            // reading or writing on this machine failed
};

constexpr const char* category_name(errc) {
    return "gguf";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::cannot_open: return "cannot open the file";
        case errc::not_a_gguf: return "not a GGUF file";
        case errc::unsupported_version: return "unsupported GGUF version";
        case errc::truncated: return "file is truncated";
        case errc::incomplete: return "more bytes are needed";
        case errc::corrupt: return "file is corrupt";
        case errc::unsupported: return "file is not supported";
        case errc::cannot_split: return "model cannot be split";
        case errc::io_failed: return "file error";
    }
    return "unknown error";
}

}  // namespace starling::gguf

template <>
struct std::is_error_code_enum<starling::gguf::errc> : std::true_type {};

// The small JSON file beside a download: what it is, where it came from, and what a resumed attempt must match.
#pragma once

#include "models/hub.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace starling::models {

struct sidecar {
    std::string source;  // the reference's text
    published_file published;
    std::string storage_etag;  // of the bytes that came, where the hub publishes no SHA-256; may be empty
};

/// Larger than any that is written.
inline constexpr std::size_t max_sidecar_bytes = 16384;

std::string to_json(const sidecar& what);
/// Nothing when it is not such a file: then it is as if it were not there.
std::optional<sidecar> parse_sidecar(std::string_view json);

}  // namespace starling::models

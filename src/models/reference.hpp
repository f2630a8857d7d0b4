// What a person writes to name a model. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace starling::models {

enum class reference_kind {
    starter,  // "starter": built in
    file,     // a path that ends in .gguf
    hub,      // "hf://owner/repository/file.gguf"
    id,       // the id of a model that was downloaded before, as `models list` shows it
};

struct reference {
    reference_kind kind = reference_kind::starter;
    std::string path;        // file: as written; hub: the file inside the repository, may have folders; id: the id
    std::string owner;       // hub
    std::string repository;  // hub

    /// The text that parses to this reference.
    std::string text() const;
    /// The short name: "starter", or the file's name without folders and ".gguf".
    std::string id() const;
};

/// Unsafe names are refused: "..", empty parts, control characters, and whatever a hub does not allow.
result<reference> parse_reference(std::string_view text);

}  // namespace starling::models

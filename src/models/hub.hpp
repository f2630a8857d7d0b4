// The Hugging Face hub as far as downloads go: URLs, and what its answers say about a file. Pure.
//
// HEAD and GET of <hub>/<owner>/<repository>/resolve/main/<file> are answered with a redirect to the hub's storage,
// which carries `X-Linked-Size` and `X-Linked-Etag` (the SHA-256 of a large file), or, for small files, with the file
// itself, whose `ETag` is a git hash.
#pragma once

#include "fetch/fetch.hpp"
#include "models/errc.hpp"
#include "models/reference.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling::models {

/// What was published about a file.
struct published_file {
    std::uint64_t size_bytes = 0;
    std::string etag;                   // without quotes; tells one version of the file from another
    std::optional<std::string> sha256;  // 64 lower-case hex digits
};

std::string file_url(std::string_view hub_url, const reference& which);

/// Whether a token may go to this URL: https, or http on this machine.
bool may_carry_token(std::string_view url);

/// Where a redirect leads when it stays on the hub (a repository that was renamed); empty when it leads to the storage
/// or nowhere.
std::string redirect_within(std::string_view hub_url, const fetch::response_head& head);

/// From the answer to HEAD, status 200 or a redirect.
result<published_file> read_published(const fetch::response_head& head, const reference& which);

/// Why this status is not a file, in words; `with_token` says whether one was sent.
error explain_status(int status, const reference& which, bool with_token);

/// Statuses that may be better a moment later.
bool is_temporary(int status);

/// "bytes 100-199/200": the first byte, and the whole size if it is told.
struct content_range {
    std::uint64_t first = 0;
    std::optional<std::uint64_t> total;
};
std::optional<content_range> parse_content_range(std::string_view text);

}  // namespace starling::models

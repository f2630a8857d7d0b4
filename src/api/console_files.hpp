// The web console's files, as the program carries them: one pack, made by console/pack.mjs when the program is built.
//
//   {"files":[{"path","type","etag","plain":[offset,bytes],"gzip":[offset,bytes]}…]} and a line feed, then the bytes
//
// Offsets count from the byte after the line feed. Private to api; read once, at the start.
#pragma once

#include "base/result.hpp"
#include "http/types.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace starling::api {

class console_files {
  public:
    /// The pack outlives the object. Empty: no files. Throws std::runtime_error where it is none: the program was built
    /// wrongly.
    explicit console_files(std::span<const std::byte> pack);

    bool empty() const { return files_.empty(); }

    /// "/" is the page itself.
    bool has(std::string_view path) const { return find(path) != nullptr; }

    /// The answer to a GET of `path`, which is there; 304 where the browser has it already.
    http::response answer(std::string_view path, const http::header_list& request) const;

  private:
    struct file {
        std::string type;
        std::string etag;
        std::string_view plain;
        std::string_view gzip;  // empty: not worth it
    };

    const file* find(std::string_view path) const;

    std::map<std::string, file, std::less<>> files_;
};

/// What a browser may do with our pages: load from here alone, run no script that is not a file, be framed by nobody.
http::header_list page_policy();

}  // namespace starling::api

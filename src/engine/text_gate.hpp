// What of a model's raw bytes a client may see already.
//
// Tokens are cut anywhere: in the middle of a character, in the middle of a stop string. The gate takes their bytes in
// order and releases text that is whole UTF-8 and cannot be part of a stop string any more. It is a pure function of
// the bytes pushed so far, so a stream that is continued elsewhere releases the same text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace starling::engine {

class text_gate {
  public:
    /// Empty stop strings are ignored.
    explicit text_gate(std::vector<std::string> stop = {});

    /// Takes the bytes of the next token and gives the text that may be shown now. Bytes that are no UTF-8 come out
    /// as U+FFFD.
    std::string push(std::string_view bytes);

    /// Gives what is still held back: nothing more will follow. Nothing once stopped.
    std::string flush();

    /// True once a stop string was seen; it and what followed are never released.
    bool stopped() const { return stopped_; }

  private:
    std::size_t held_for_stop() const;

    std::vector<std::string> stop_;
    std::string pending_;
    bool stopped_ = false;
};

/// Length of the longest prefix of `bytes` that does not end inside a UTF-8 character.
std::size_t whole_characters(std::string_view bytes);

/// `bytes` with every byte that is no part of a UTF-8 character replaced by U+FFFD.
std::string as_utf8(std::string_view bytes);

}  // namespace starling::engine

// Server-sent events <- bytes, as they come from the network. Pure and incremental: a line, or a character, may be cut
// anywhere between two pieces. Follows "Interpreting an event stream" of the WHATWG HTML standard, with one leniency:
// an event that the end of the stream cuts off before its empty line is still delivered, because some servers send none
// after their last event.
#pragma once

#include "base/result.hpp"
#include "engine/errc.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace starling::upstream {

struct sse_event {
    std::string name;  // the `event:` field; empty when there was none
    std::string data;  // the `data:` lines, joined by line feeds
};

class sse_parser {
  public:
    /// One event is one token, or one whole tool call with its log probabilities: far below this.
    static constexpr std::size_t max_event_bytes = std::size_t{4} * 1024 * 1024;

    /// Appends the events that `bytes` completes. Error: engine::errc::upstream_error, when a line or an event is
    /// longer than `max_event_bytes`; the parser is not to be used afterwards.
    result<void> feed(std::string_view bytes, std::vector<sse_event>& out);

    /// The stream ended: delivers what it cut off.
    void finish(std::vector<sse_event>& out);

  private:
    void take_line(std::vector<sse_event>& out);
    void dispatch(std::vector<sse_event>& out);

    std::string line_;
    sse_event event_;
    bool has_data_ = false;
    bool after_carriage_return_ = false;  // a line feed that follows belongs to the same line end
    bool at_start_ = true;                // a byte order mark is dropped here and nowhere else
};

}  // namespace starling::upstream

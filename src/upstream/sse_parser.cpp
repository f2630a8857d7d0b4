#include "upstream/sse_parser.hpp"

#include <utility>

namespace starling::upstream {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

error too_long() {
    return fail(engine::errc::upstream_error,
                "The upstream server sent an event longer than 4 MiB; the answer was stopped.");
}

}  // namespace

result<void> sse_parser::feed(std::string_view bytes, std::vector<sse_event>& out) {
    while (!bytes.empty()) {
        if (std::exchange(after_carriage_return_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view part = bytes.substr(0, end);
        if (line_.size() + part.size() + event_.data.size() > max_event_bytes) {
            return too_long();
        }
        line_ += part;
        if (end == std::string_view::npos) {
            break;
        }
        after_carriage_return_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        take_line(out);
    }
    return {};
}

void sse_parser::finish(std::vector<sse_event>& out) {
    if (!line_.empty()) {
        take_line(out);
    }
    dispatch(out);
}

void sse_parser::take_line(std::vector<sse_event>& out) {
    const std::string text = std::exchange(line_, {});
    std::string_view line = text;
    if (std::exchange(at_start_, false) && line.starts_with(byte_order_mark)) {
        line.remove_prefix(byte_order_mark.size());
    }
    if (line.empty()) {
        dispatch(out);
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value;
    if (colon != std::string_view::npos) {
        value = line.substr(colon + 1);
        if (value.starts_with(' ')) {
            value.remove_prefix(1);
        }
    }
    if (field == "data") {
        if (has_data_) {
            event_.data += '\n';
        }
        event_.data += value;
        has_data_ = true;
    } else if (field == "event") {
        event_.name = value;
    } else if (field == "error") {
        // Not in the standard: servers derived from llama.cpp's have reported a failure in mid-stream like this.
        dispatch(out);
        event_.name = "error";
        event_.data = value;
        has_data_ = true;
    }
    // Comments (an empty field name), `id` and `retry` mean nothing to us.
}

void sse_parser::dispatch(std::vector<sse_event>& out) {
    if (std::exchange(has_data_, false)) {
        out.push_back(std::exchange(event_, {}));
    } else {
        event_ = {};
    }
}

}  // namespace starling::upstream

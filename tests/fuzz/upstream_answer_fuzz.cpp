// library: upstream
// What an upstream server streams: any bytes must give events or an error, and the same ones however they are cut.
#include "upstream/answer_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using starling::engine::stream_event;

struct decoded {
    std::string text;
    std::size_t finished = 0;
    bool failed = false;
};

decoded decode(std::string_view bytes, std::size_t piece) {
    starling::upstream::answer_decoder decoder;
    std::vector<stream_event> events;
    decoded out;
    for (std::size_t at = 0; at < bytes.size() && !out.failed; at += piece) {
        out.failed = !decoder.feed(bytes.substr(at, piece), events);
    }
    out.failed = out.failed || !decoder.finish(events);
    for (const stream_event& event : events) {
        if (const auto* chunk = std::get_if<starling::engine::chunk>(&event)) {
            out.text += chunk->content + chunk->reasoning;
        } else {
            ++out.finished;
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const decoded whole = decode(bytes, size + 1);
    const decoded cut = decode(bytes, 3);
    const bool same = whole.text == cut.text && whole.finished == cut.finished && whole.failed == cut.failed;
    if (!same || whole.finished > 1 || (!whole.failed && whole.finished == 0)) {
        std::abort();
    }
    starling::upstream::server_words words;
    words.secret = "key";
    const auto reported = starling::upstream::error_of(500, bytes, words);
    if (reported.message.find("key") != std::string::npos || reported.message.find('\n') != std::string::npos) {
        std::abort();
    }
    static_cast<void>(starling::upstream::parse_embeddings(bytes, 1));
    static_cast<void>(starling::upstream::parse_models(bytes));
    return 0;
}

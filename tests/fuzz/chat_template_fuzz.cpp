// library: node
// What goes through the chat template: a conversation with tools and schemas as a client sends it, put into the
// starter's template; the grammar that this asks for, put into a sampler; and an answer of any bytes, read as it grows.
// An input is a chat request, then a zero byte, then the answer.
#include "llama/chat_format.hpp"
#include "llama/model.hpp"
#include "llama/sampler.hpp"
#include "openai/request.hpp"
#include "repository_paths.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace starling;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::shared_ptr<const llama::model> starter() {
    auto loaded = llama::model::load({.id = "starter", .path = STARLING_MODELS_DIR "/starter.gguf"}, {}, {});
    require(loaded.has_value());
    return *loaded;
}

/// Whatever was shown of the answer does not shrink: pieces are only ever added.
void read_answer(const llama::answer_format& format, std::string_view text) {
    constexpr std::size_t piece = 5;
    llama::answer_parser parser(format, "seed");
    engine::chunk shown;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
        parser.push(text.substr(0, piece), shown);
    }
    parser.finish(shown);
    require(!parser.has_tool_calls() || !shown.tool_calls.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto model = starter();
    static const llama::chat_format format(model);
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto request = openai::parse_chat_request(input.substr(0, input.find('\0')), 1);
    if (!request) {
        return 0;
    }
    const auto& generate = request->generate;
    const auto rendered = format.render(std::get<engine::chat_prompt>(generate.prompt), generate.grammar);
    if (!rendered) {
        require(!rendered.error().message.empty());
        return 0;
    }
    const auto draw = llama::sampler::create(*model, generate, rendered->format, rendered->tokens);
    require(draw || !draw.error().message.empty());
    if (const auto end = input.find('\0'); end != std::string_view::npos) {
        read_answer(rendered->format, input.substr(end + 1));
    }
    return 0;
}

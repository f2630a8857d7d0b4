// library: openai
// JSON requests: whatever the bytes are, each parser answers with a request within its limits or with a complaint that
// can be sent back. The first byte chooses the parser.
#include "openai/answer.hpp"
#include "openai/error_body.hpp"
#include "openai/request.hpp"

#include <boost/json/parse.hpp>

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

/// The complaint is a 400 whose body any JSON parser can read.
void check(const openai::complaint& found) {
    require(openai::classify(found.why.code).status == 400);
    require(!found.why.message.empty());
    boost::system::error_code failed;
    const auto body = boost::json::parse(openai::error_body(found.why, found.param), failed);
    require(!failed && body.at("error").at("message").is_string());
}

void check(const engine::generate_request& request) {
    require(request.stop.size() <= openai::max_stop_strings);
    require(request.sampling.temperature >= 0.0F && request.sampling.temperature <= 2.0F);
    require(request.sampling.top_p >= 0.0F && request.sampling.top_p <= 1.0F);
    require(request.sampling.logit_bias.size() <= openai::max_logit_bias);
    require(!request.max_tokens || *request.max_tokens > 0);
    require(!request.logprobs || (*request.logprobs >= 0 && *request.logprobs <= openai::max_top_logprobs));
}

void check(const openai::chat_request& request) {
    check(request.generate);
    require(request.choices >= 1 && request.choices <= openai::max_choices);
    const auto& prompt = std::get<engine::chat_prompt>(request.generate.prompt);
    require(!prompt.messages.empty());
    require(prompt.tools.size() <= openai::max_tools);
    require(prompt.tool_choice != engine::tool_choice::required || !prompt.tools.empty());
}

void check(const openai::completion_request& request) {
    require(!request.generate.empty());
    require(request.generate.size() * static_cast<std::size_t>(request.choices) <= openai::max_completions);
    for (const auto& one : request.generate) {
        check(one);
    }
}

void check(const openai::embeddings_request& request) {
    require(!request.embed.inputs.empty() && request.embed.inputs.size() <= openai::max_embedding_inputs);
}

template <class Request>
void check(const openai::parsed<Request>& parsed) {
    if (parsed.has_error()) {
        check(parsed.error());
    } else {
        check(*parsed);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 3) {
        case 0: check(openai::parse_chat_request(body, 1)); break;
        case 1: check(openai::parse_completion_request(body, 1)); break;
        default: check(openai::parse_embeddings_request(body)); break;
    }
    return 0;
}

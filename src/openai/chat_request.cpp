#include "openai/common_fields.hpp"
#include "openai/field_reader.hpp"
#include "openai/messages.hpp"
#include "openai/request.hpp"
#include "openai/tools.hpp"

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <limits>

namespace starling::openai {

namespace {

constexpr std::int64_t max_int32 = std::numeric_limits<std::int32_t>::max();

/// `max_completion_tokens` is the newer name and wins.
std::optional<std::int32_t> read_max_tokens(const field_reader& fields) {
    const auto old_name = fields.integer("max_tokens", 1, max_int32);
    const auto new_name = fields.integer("max_completion_tokens", 1, max_int32);
    if (new_name) {
        return static_cast<std::int32_t>(*new_name);
    }
    return old_name ? std::optional(static_cast<std::int32_t>(*old_name)) : std::nullopt;
}

std::optional<std::int32_t> read_logprobs(const field_reader& fields) {
    const bool wanted = fields.boolean("logprobs").value_or(false);
    const auto alternatives = fields.integer("top_logprobs", 0, max_top_logprobs);
    if (!wanted && alternatives) {
        fields.complain(errc::invalid_value, "top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.");
    }
    return wanted ? std::optional(static_cast<std::int32_t>(alternatives.value_or(0))) : std::nullopt;
}

void read_template_arguments(const field_reader& fields, engine::chat_prompt& into) {
    if (const auto* arguments = fields.object("chat_template_kwargs")) {
        for (const auto& entry : *arguments) {
            into.template_arguments.emplace_back(entry.key(), json::serialize(entry.value()));
        }
    }
    if (const auto effort = fields.string("reasoning_effort")) {
        into.template_arguments.emplace_back("reasoning_effort", json::serialize(json::string(*effort)));
    }
}

}  // namespace

parsed<chat_request> parse_chat_request(std::string_view body, std::uint64_t seed) {
    auto root = parse_body(body);
    if (root.has_error()) {
        return std::move(root).error();
    }
    complaints found;
    const field_reader fields(root->get_object(), "", found);
    chat_request request;
    request.streaming = read_stream_options(fields);
    request.choices = read_choices(fields);
    read_generation_fields(fields, seed, request.generate);
    request.generate.max_tokens = read_max_tokens(fields);
    request.generate.logprobs = read_logprobs(fields);

    engine::chat_prompt prompt;
    prompt.messages = read_messages(fields);
    read_tools(fields, prompt);
    read_response_format(fields, prompt);
    read_template_arguments(fields, prompt);
    read_grammar(fields, request.generate);
    if (!request.generate.grammar.empty() && (!prompt.tools.empty() || prompt.format != engine::output_format::text)) {
        fields.complain(errc::invalid_value, "grammar",
                        "'grammar' cannot be combined with 'tools' or 'response_format'.");
    }
    request.generate.prompt = std::move(prompt);
    if (found.any()) {
        return found.take();
    }
    return request;
}

}  // namespace starling::openai

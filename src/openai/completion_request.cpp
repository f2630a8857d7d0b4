#include "openai/common_fields.hpp"
#include "openai/field_reader.hpp"
#include "openai/request.hpp"

#include <fmt/format.h>

#include <limits>

namespace starling::openai {

namespace {

using prompt_variant = decltype(engine::generate_request::prompt);

constexpr std::string_view prompt_forms =
    "'prompt' must be a string, an array of strings, an array of token ids, or an array of such arrays.";

prompt_variant tokens_prompt(const json::array& array, const std::string& path, complaints& found) {
    if (array.empty()) {
        found.add(errc::invalid_value, path, fmt::format("'{}' must hold at least one token id.", path));
    }
    return engine::token_prompt{read_tokens(array, path, found)};
}

std::vector<prompt_variant> read_prompt_array(const json::array& array, complaints& found) {
    std::vector<prompt_variant> prompts;
    if (array.empty() || array.size() > max_completions) {
        if (array.empty() || !array.front().is_int64()) {
            found.add(errc::invalid_value, "prompt",
                      fmt::format("'prompt' must hold from 1 to {} prompts.", max_completions));
            return prompts;
        }
    }
    if (array.front().is_int64()) {
        prompts.push_back(tokens_prompt(array, "prompt", found));
        return prompts;
    }
    for (std::size_t i = 0; i < array.size(); ++i) {
        const auto path = fmt::format("prompt[{}]", i);
        if (array[i].is_string()) {
            prompts.emplace_back(engine::text_prompt{std::string(array[i].get_string())});
        } else if (array[i].is_array()) {
            prompts.push_back(tokens_prompt(array[i].get_array(), path, found));
        } else {
            found.add(errc::invalid_value, path, std::string(prompt_forms));
            break;
        }
    }
    return prompts;
}

std::vector<prompt_variant> read_prompts(const field_reader& fields) {
    const auto* prompt = fields.find("prompt");
    if (prompt == nullptr) {
        fields.complain(errc::missing_value, "prompt", "'prompt' is missing.");
        return {};
    }
    if (prompt->is_string()) {
        return {engine::text_prompt{std::string(prompt->get_string())}};
    }
    if (prompt->is_array()) {
        return read_prompt_array(prompt->get_array(), fields.found());
    }
    fields.complain(errc::invalid_value, "prompt", std::string(prompt_forms));
    return {};
}

void refuse_unsupported(const field_reader& fields) {
    if (const auto suffix = fields.string("suffix"); suffix && !suffix->empty()) {
        fields.complain(errc::unsupported_value, "suffix",
                        "'suffix' is not offered: text is continued, not filled in.");
    }
    if (const auto best_of = fields.integer("best_of", 1, max_choices); best_of && *best_of != read_choices(fields)) {
        fields.complain(errc::unsupported_value, "best_of", "'best_of' is not offered, except where it equals 'n'.");
    }
}

void check_echo(const field_reader& fields, const completion_request& request) {
    if (!request.echo) {
        return;
    }
    for (const auto& generate : request.generate) {
        if (!std::holds_alternative<engine::text_prompt>(generate.prompt)) {
            fields.complain(errc::unsupported_value, "echo", "'echo' is offered for prompts given as text only.");
        }
        if (generate.logprobs) {
            fields.complain(errc::unsupported_value, "echo", "'echo' cannot be combined with 'logprobs'.");
        }
    }
}

}  // namespace

parsed<completion_request> parse_completion_request(std::string_view body, std::uint64_t seed) {
    auto root = parse_body(body);
    if (root.has_error()) {
        return std::move(root).error();
    }
    complaints found;
    const field_reader fields(root->get_object(), "", found);
    completion_request request;
    request.streaming = read_stream_options(fields);
    request.choices = read_choices(fields);
    request.echo = fields.boolean("echo").value_or(false);

    engine::generate_request common;
    read_generation_fields(fields, seed, common);
    read_grammar(fields, common);
    refuse_unsupported(fields);
    common.max_tokens = static_cast<std::int32_t>(
        fields.integer("max_tokens", 1, std::numeric_limits<std::int32_t>::max()).value_or(default_completion_tokens));
    if (const auto logprobs = fields.integer("logprobs", 0, max_top_logprobs)) {
        common.logprobs = static_cast<std::int32_t>(*logprobs);
    }
    for (auto& prompt : read_prompts(fields)) {
        request.generate.push_back(common);
        request.generate.back().prompt = std::move(prompt);
    }
    if (request.generate.size() * static_cast<std::size_t>(request.choices) > max_completions) {
        fields.complain(errc::invalid_value, "n",
                        fmt::format("The number of prompts times 'n' must be at most {}.", max_completions));
    }
    check_echo(fields, request);
    if (found.any()) {
        return found.take();
    }
    return request;
}

}  // namespace starling::openai

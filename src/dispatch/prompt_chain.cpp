#include "dispatch/prompt_chain.hpp"

#include <algorithm>
#include <limits>

namespace starling::dispatch {

namespace {

std::int32_t tokens_of(std::size_t characters) {
    return static_cast<std::int32_t>(std::min<std::size_t>(
        (characters + characters_per_token - 1) / characters_per_token, std::numeric_limits<std::int32_t>::max()));
}

/// What stands before the first message: a change of it changes every token after.
running_hash preamble(std::string_view model, const engine::chat_prompt& prompt) {
    running_hash hash;
    hash.add(model).add(static_cast<std::uint64_t>(prompt.tool_choice)).add(prompt.parallel_tool_calls ? 1 : 0);
    hash.add(static_cast<std::uint64_t>(prompt.format)).add(prompt.json_schema);
    for (const engine::tool& tool : prompt.tools) {
        hash.add(tool.name).add(tool.description).add(tool.parameters);
    }
    for (const auto& [name, json] : prompt.template_arguments) {
        hash.add(name).add(json);
    }
    return hash;
}

std::size_t characters_of(const engine::chat_prompt& prompt) {
    std::size_t characters = prompt.json_schema.size();
    for (const engine::tool& tool : prompt.tools) {
        characters += tool.name.size() + tool.description.size() + tool.parameters.size();
    }
    return characters;
}

std::size_t characters_of(const engine::message& message) {
    constexpr std::size_t around_a_message = 16;  // what a chat template puts there
    std::size_t characters = around_a_message + message.content.size() + message.name.size();
    for (const engine::tool_call& call : message.tool_calls) {
        characters += call.name.size() + call.arguments.size();
    }
    return characters;
}

/// Reasoning is left out: templates drop that of earlier turns, and so do clients.
std::uint64_t after(std::uint64_t before, const engine::message& message, std::uint64_t text) {
    running_hash hash(before);
    hash.add(static_cast<std::uint64_t>(message.role)).add(text).add(message.tool_call_id).add(message.name);
    for (const engine::tool_call& call : message.tool_calls) {
        hash.add(call.id).add(call.name).add(call.arguments);
    }
    return hash.value();
}

prompt_chain chain(std::string_view model, const engine::chat_prompt& prompt) {
    prompt_chain out;
    out.conversation = true;
    std::uint64_t hash = preamble(model, prompt).value();
    std::size_t characters = characters_of(prompt);
    for (const engine::message& message : prompt.messages) {
        hash = after(hash, message, running_hash().add_more(message.content).value());
        characters += characters_of(message);
        if (out.links.size() < max_links) {
            out.links.push_back({.hash = hash, .tokens = tokens_of(characters)});
        }
    }
    out.tokens = tokens_of(characters);
    return out;
}

prompt_chain chain(std::string_view model, const engine::text_prompt& prompt) {
    prompt_chain out;
    running_hash hash;
    hash.add(model);
    const std::string_view text = prompt.text;
    for (std::size_t end = text_block; end <= text.size() && out.links.size() < max_links; end += text_block) {
        hash.add(text.substr(end - text_block, text_block));
        out.links.push_back({.hash = hash.value(), .tokens = tokens_of(end)});
    }
    out.tokens = tokens_of(text.size());
    return out;
}

prompt_chain chain(std::string_view model, const engine::token_prompt& prompt) {
    prompt_chain out;
    running_hash hash;
    hash.add(model);
    for (std::size_t i = 0; i < prompt.tokens.size() && out.links.size() < max_links; ++i) {
        hash.add(static_cast<std::uint64_t>(prompt.tokens[i]));
        if ((i + 1) % token_block == 0) {
            out.links.push_back({.hash = hash.value(), .tokens = static_cast<std::int32_t>(i + 1)});
        }
    }
    out.tokens = static_cast<std::int32_t>(prompt.tokens.size());
    return out;
}

}  // namespace

running_hash& running_hash::add_more(std::string_view text) {
    for (const char c : text) {
        value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return *this;
}

running_hash& running_hash::add(std::string_view text) {
    return add(static_cast<std::uint64_t>(text.size())).add_more(text);
}

running_hash& running_hash::add(std::uint64_t number) {
    for (int byte = 0; byte < 8; ++byte) {
        value_ = (value_ ^ (number & 0xFFU)) * 0x100000001b3U;
        number >>= 8;
    }
    return *this;
}

prompt_chain chain_of(std::string_view model, const engine::generate_request& request) {
    return std::visit([&](const auto& prompt) { return chain(model, prompt); }, request.prompt);
}

std::uint64_t after_answer(std::uint64_t prompt, std::uint64_t text) {
    engine::message answer;
    answer.role = engine::role::assistant;
    return after(prompt, answer, text);
}

}  // namespace starling::dispatch

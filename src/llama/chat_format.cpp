#include "llama/chat_format.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"

#include <chat.h>
#include <fmt/format.h>

#include <utility>

namespace starling::llama {

namespace {

common_chat_msg to_common(const engine::message& message) {
    common_chat_msg out;
    switch (message.role) {
        case engine::role::system: out.role = "system"; break;
        case engine::role::user: out.role = "user"; break;
        case engine::role::assistant: out.role = "assistant"; break;
        case engine::role::tool: out.role = "tool"; break;
    }
    out.content = message.content;
    out.reasoning_content = message.reasoning;
    out.tool_name = message.name;
    out.tool_call_id = message.tool_call_id;
    for (const engine::tool_call& call : message.tool_calls) {
        out.tool_calls.push_back({.name = call.name, .arguments = call.arguments, .id = call.id});
    }
    return out;
}

common_chat_tool_choice to_common(engine::tool_choice choice) {
    switch (choice) {
        case engine::tool_choice::automatic: return COMMON_CHAT_TOOL_CHOICE_AUTO;
        case engine::tool_choice::none: return COMMON_CHAT_TOOL_CHOICE_NONE;
        case engine::tool_choice::required: return COMMON_CHAT_TOOL_CHOICE_REQUIRED;
    }
    return COMMON_CHAT_TOOL_CHOICE_AUTO;
}

common_chat_templates_inputs to_common(const engine::chat_prompt& prompt, const std::string& grammar) {
    common_chat_templates_inputs inputs;
    for (const engine::message& message : prompt.messages) {
        inputs.messages.push_back(to_common(message));
    }
    for (const engine::tool& tool : prompt.tools) {
        inputs.tools.push_back({.name = tool.name, .description = tool.description, .parameters = tool.parameters});
    }
    inputs.tool_choice = to_common(prompt.tool_choice);
    inputs.parallel_tool_calls = prompt.parallel_tool_calls;
    inputs.grammar = grammar;
    if (prompt.format == engine::output_format::json_object) {
        inputs.json_schema = R"({"type":"object"})";
    } else if (prompt.format == engine::output_format::json_schema) {
        inputs.json_schema = prompt.json_schema;
    }
    // Reasoning is told apart from the answer wherever the template knows how.
    inputs.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
    for (const auto& [name, value] : prompt.template_arguments) {
        if (name == "enable_thinking") {
            inputs.enable_thinking = value != "false";
        }
        inputs.chat_template_kwargs[name] = value;
    }
    return inputs;
}

/// The text that opens a call in this template when one is required; empty where it cannot be told, or where the model
/// thinks first. llama-common's grammar for required calls lets any text go before them, so a model that does not want
/// to call would talk until its tokens run out.
std::string required_opening(const common_chat_templates* templates, common_chat_templates_inputs inputs,
                             const common_chat_params& rendered) {
    if (inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_REQUIRED || inputs.tools.empty() ||
        (rendered.supports_thinking && inputs.enable_thinking)) {
        return {};
    }
    inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_AUTO;  // only then are the triggers listed
    for (const common_grammar_trigger& trigger : common_chat_templates_apply(templates, inputs).grammar_triggers) {
        if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD) {
            return trigger.value;
        }
    }
    return {};
}

}  // namespace

answer_format::answer_format() = default;
answer_format::~answer_format() = default;
answer_format::answer_format(answer_format&&) noexcept = default;
answer_format& answer_format::operator=(answer_format&&) noexcept = default;

chat_format::chat_format(std::shared_ptr<const model> model)
    : model_(std::move(model)), templates_(nullptr, common_chat_templates_free) {
    try {
        templates_.reset(common_chat_templates_init(model_->handle(), "").release());
    } catch (const std::exception& e) {
        unusable_ = e.what();
    }
}

chat_format::~chat_format() = default;

result<rendered_prompt> chat_format::render(const engine::chat_prompt& prompt, const std::string& grammar) const {
    if (!templates_) {
        return fail(engine::errc::invalid_request,
                    fmt::format("the chat template of {} cannot be used ({}); send a plain completion instead",
                                model_->info().id, unusable_));
    }
    rendered_prompt out;
    try {
        const common_chat_templates_inputs inputs = to_common(prompt, grammar);
        auto params = std::make_unique<common_chat_params>(common_chat_templates_apply(templates_.get(), inputs));
        out.tokens = model_->tokenize(params->prompt, true, true);
        for (const std::string& text : params->preserved_tokens) {
            const auto tokens = model_->tokenize(text, false, true);
            if (tokens.size() == 1) {
                out.format.visible_special.insert(tokens[0]);
            }
        }
        if (const std::string opening = required_opening(templates_.get(), inputs, *params); !opening.empty()) {
            out.format.opening = model_->tokenize(opening, false, true);
        }
        out.format.stop = params->additional_stops;
        out.format.has_tools = !prompt.tools.empty() && prompt.tool_choice != engine::tool_choice::none;
        out.format.chat = std::move(params);
        out.format.grammar = grammar;
    } catch (const std::exception& e) {
        return fail(engine::errc::invalid_request, fmt::format("the conversation cannot be put into the model's chat "
                                                               "template: {}",
                                                               e.what()));
    }
    return out;
}

struct answer_parser::state {
    common_chat_parser_params params;
    std::string call_seed;
    std::string text;
    std::size_t parsed = 0;  // bytes of `text` that the last parse saw
    common_chat_msg message;
    std::vector<std::string> call_ids;

    /// "call_" and 24 hex digits, a function of the stream and the call's index.
    std::string next_call_id() const {
        const auto block = philox4x32(fnv1a(call_seed), call_ids.size());
        return fmt::format("call_{:08x}{:08x}{:08x}", block[0], block[1], block[2]);
    }
};

answer_parser::answer_parser(const answer_format& format, std::string call_seed) {
    if (!format.chat || (!format.has_tools && !format.chat->supports_thinking)) {
        return;
    }
    state_ = std::make_unique<state>();
    state_->params = common_chat_parser_params(*format.chat);
    state_->params.reasoning_format = COMMON_REASONING_FORMAT_AUTO;
    state_->params.parse_tool_calls = format.has_tools;
    state_->call_seed = std::move(call_seed);
    if (!format.chat->parser.empty()) {
        state_->params.parser.load(format.chat->parser);
    }
}

answer_parser::~answer_parser() = default;
answer_parser::answer_parser(answer_parser&&) noexcept = default;

void answer_parser::push(std::string_view text, engine::chunk& out) {
    if (!state_) {
        out.content += text;
        return;
    }
    state_->text += text;
    // Each parse reads the whole answer. Waiting for a share of its length keeps the sum linear; for the first two
    // kilobytes that is every token.
    constexpr std::size_t share = 512;
    if (state_->text.size() - state_->parsed > state_->text.size() / share / 4) {
        parse(true, out);
    }
}

void answer_parser::finish(engine::chunk& out) {
    // An answer that fits no rule of its format is still an answer.
    if (state_ && !parse(false, out) && state_->message.empty()) {
        out.content += state_->text;
    }
}

bool answer_parser::has_tool_calls() const {
    return state_ && !state_->message.tool_calls.empty();
}

bool answer_parser::parse(bool partial, engine::chunk& out) {
    state_->parsed = state_->text.size();
    std::vector<common_chat_msg_diff> diffs;
    try {
        common_chat_msg message = common_chat_parse(state_->text, partial, state_->params);
        if (message.empty()) {
            return false;
        }
        message.set_tool_call_ids(state_->call_ids, [this] { return state_->next_call_id(); });
        diffs = common_chat_msg_diff::compute_diffs(state_->message, message);
        state_->message = std::move(message);
    } catch (const std::exception&) {
        // The text so far fits no rule of the format. More text may; what was already shown stays.
        return false;
    }
    for (common_chat_msg_diff& diff : diffs) {
        out.reasoning += diff.reasoning_content_delta;
        out.content += diff.content_delta;
        if (diff.tool_call_index != std::string::npos) {
            out.tool_calls.push_back({.index = diff.tool_call_index,
                                      .id = std::move(diff.tool_call_delta.id),
                                      .name = std::move(diff.tool_call_delta.name),
                                      .arguments = std::move(diff.tool_call_delta.arguments)});
        }
    }
    return true;
}

}  // namespace starling::llama

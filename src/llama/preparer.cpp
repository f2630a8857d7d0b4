#include "llama/preparer.hpp"

#include "llama/embedder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace starling::llama {

preparer::preparer(std::shared_ptr<const model> model, std::int32_t context)
    : model_(std::move(model)), chat_(model_), context_(context) {}

result<void> preparer::check_tokens(std::span<const engine::token_id> tokens, const char* what) const {
    const auto vocabulary = model_->vocabulary_size();
    const auto bad = std::find_if(tokens.begin(), tokens.end(),
                                  [&](engine::token_id token) { return token < 0 || token >= vocabulary; });
    if (bad != tokens.end()) {
        return fail(engine::errc::invalid_request, fmt::format("{} has token {}, but {} knows tokens 0 to {}", what,
                                                               *bad, model_->info().id, vocabulary - 1));
    }
    return {};
}

result<rendered_prompt> preparer::render(const engine::generate_request& request) const {
    if (const auto* chat = std::get_if<engine::chat_prompt>(&request.prompt)) {
        return chat_.render(*chat, request.grammar);
    }
    rendered_prompt out;
    out.format.grammar = request.grammar;
    if (const auto* text = std::get_if<engine::text_prompt>(&request.prompt)) {
        out.tokens = model_->tokenize(text->text, true, true);
    } else {
        out.tokens = std::get<engine::token_prompt>(request.prompt).tokens;
        if (auto checked = check_tokens(out.tokens, "the prompt"); !checked) {
            return checked.error();
        }
    }
    return out;
}

result<std::unique_ptr<generation>> preparer::prepare(engine::generate_request request, aio::call_context call,
                                                      std::shared_ptr<stream_link> link) const {
    if (!model_->can_generate()) {
        return fail(engine::errc::unsupported, fmt::format("{} gives embeddings and no text", model_->info().id));
    }
    auto rendered = render(request);
    if (!rendered) {
        return rendered.error();
    }
    if (rendered->tokens.empty()) {
        return fail(engine::errc::invalid_request, "the prompt is empty; send at least one token");
    }
    if (auto checked = check_tokens(request.resume, "resume"); !checked) {
        return checked.error();
    }
    for (const auto& [token, bias] : request.sampling.logit_bias) {
        if (auto checked = check_tokens(std::span(&token, 1), "logit_bias"); !checked) {
            return checked.error();
        }
    }
    const auto prompt_tokens = static_cast<std::int32_t>(rendered->tokens.size());
    const auto known = rendered->tokens.size() + request.resume.size();
    const auto room = static_cast<std::size_t>(context_);
    // An answer that filled the context elsewhere is whole; a prompt that does so leaves no room for one.
    if (known > room || rendered->tokens.size() == room) {
        return fail(engine::errc::prompt_too_long,
                    fmt::format("the prompt has {} tokens, but a request to {} can use {} in all, answer included; "
                                "shorten it or start the node with a larger --ctx",
                                known, model_->info().id, context_));
    }
    auto draw = sampler::create(*model_, request, rendered->format, rendered->tokens);
    if (!draw) {
        return draw.error();
    }
    auto tokens = std::move(rendered->tokens);
    tokens.insert(tokens.end(), request.resume.begin(), request.resume.end());
    const auto max_tokens = request.max_tokens.value_or(std::numeric_limits<std::int32_t>::max());
    auto job = std::unique_ptr<generation>(
        new generation{.tokens = std::move(tokens),
                       .prompt_tokens = prompt_tokens,
                       .max_tokens = max_tokens,
                       .logprobs = request.logprobs,
                       .ignore_end = request.ignore_end,
                       .text = answer(model_, std::move(rendered->format), std::move(request.stop), call.request_id),
                       .draw = std::move(*draw),
                       .link = std::move(link),
                       .call = std::move(call),
                       .queued_at = steady_clock::now(),
                       .complete = {}});
    if (auto replayed = replay(request.resume, *job); !replayed) {
        return replayed.error();
    }
    return job;
}

result<void> preparer::replay(std::span<const engine::token_id> emitted, generation& job) const {
    engine::chunk shown;
    for (const engine::token_id token : emitted) {
        if (job.complete || model_->ends_answer(token) || !job.draw.accept(token)) {
            return fail(engine::errc::invalid_request, "the tokens to resume from go on after the end of the answer");
        }
        if (!job.text.push(token, shown)) {
            job.complete = engine::finish_reason::stop;
        }
    }
    const bool full = job.tokens.size() >= static_cast<std::size_t>(context_);
    if (!job.complete && (static_cast<std::int64_t>(emitted.size()) >= job.max_tokens || full)) {
        job.complete = engine::finish_reason::length;
    }
    return {};
}

result<std::vector<std::vector<engine::token_id>>> preparer::prepare(const engine::embed_request& request) const {
    std::vector<std::vector<engine::token_id>> inputs;
    const auto limit = static_cast<std::size_t>(max_embedding_tokens(*model_));
    for (const auto& input : request.inputs) {
        if (const auto* text = std::get_if<std::string>(&input)) {
            inputs.push_back(model_->tokenize(*text, true, false));
        } else {
            inputs.push_back(std::get<std::vector<engine::token_id>>(input));
            if (auto checked = check_tokens(inputs.back(), "the input"); !checked) {
                return checked.error();
            }
        }
        if (inputs.back().empty()) {
            return fail(engine::errc::invalid_request, "an input is empty; send at least one token");
        }
        if (inputs.back().size() > limit) {
            return fail(engine::errc::prompt_too_long,
                        fmt::format("an input has {} tokens, but {} can embed {} at a time", inputs.back().size(),
                                    model_->info().id, limit));
        }
    }
    return inputs;
}

}  // namespace starling::llama

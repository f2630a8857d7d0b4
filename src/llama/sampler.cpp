#include "llama/sampler.hpp"

#include "base/random.hpp"
#include "llama/grammar_limits.hpp"

#include <chat.h>
#include <fmt/format.h>
#include <sampling.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace starling::llama {

namespace {

struct counter {
    std::uint64_t seed = 0;
    std::uint64_t index = 0;
};

/// Inverse of the cumulative distribution at the draw for (seed, index).
void counter_apply(llama_sampler* self, llama_token_data_array* candidates) {
    const auto& state = *static_cast<const counter*>(self->ctx);
    if (candidates->size == 0) {
        candidates->selected = -1;
        return;
    }
    std::span<llama_token_data> tokens(candidates->data, candidates->size);
    const float highest = std::max_element(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
                              return a.logit < b.logit;
                          })->logit;
    double sum = 0.0;
    for (llama_token_data& token : tokens) {
        token.p = std::exp(token.logit - highest);
        sum += token.p;
    }
    const double target = uniform_draw(state.seed, state.index) * sum;
    double reached = 0.0;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].p <= 0.0F) {
            continue;
        }
        chosen = i;
        reached += tokens[i].p;
        if (reached > target) {
            break;
        }
    }
    candidates->selected = static_cast<std::int64_t>(chosen);
}

llama_sampler* counter_clone(const llama_sampler* self);

void counter_free(llama_sampler* self) {
    delete static_cast<counter*>(self->ctx);
}

const char* counter_name(const llama_sampler*) {
    return "counter";
}

llama_sampler_i counter_interface() {
    llama_sampler_i interface{};
    interface.name = counter_name;
    interface.apply = counter_apply;
    interface.clone = counter_clone;
    interface.free = counter_free;
    return interface;
}

llama_sampler* make_counter(counter state) {
    static llama_sampler_i interface = counter_interface();
    return llama_sampler_init(&interface, new counter(state));
}

llama_sampler* counter_clone(const llama_sampler* self) {
    return make_counter(*static_cast<const counter*>(self->ctx));
}

void add_grammar(const model& model, const answer_format& format, common_params_sampling& params) {
    if (!format.chat || format.chat->grammar.empty()) {
        if (!format.grammar.empty()) {
            params.grammar = {COMMON_GRAMMAR_TYPE_USER, format.grammar};
        }
        return;
    }
    const common_chat_params& chat = *format.chat;
    params.grammar = {format.has_tools ? COMMON_GRAMMAR_TYPE_TOOL_CALLS : COMMON_GRAMMAR_TYPE_OUTPUT_FORMAT,
                      chat.grammar};
    params.grammar_lazy = chat.grammar_lazy;
    params.generation_prompt = chat.generation_prompt;
    for (common_grammar_trigger trigger : chat.grammar_triggers) {
        if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD) {
            const auto tokens = model.tokenize(trigger.value, false, true);
            if (tokens.size() == 1 && format.visible_special.contains(tokens[0])) {
                trigger.type = COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN;
                trigger.token = tokens[0];
            }
        }
        params.grammar_triggers.push_back(std::move(trigger));
    }
    params.preserved_tokens.insert(format.visible_special.begin(), format.visible_special.end());
    // A lazy grammar must not wake up inside a thinking block.
    if (chat.grammar_lazy && !chat.thinking_end_tags.empty()) {
        params.reasoning_budget_start = model.tokenize(chat.thinking_start_tag, false, true);
        for (const std::string& tag : chat.thinking_end_tags) {
            params.reasoning_budget_end.push_back(model.tokenize(tag, false, true));
        }
    }
}

common_params_sampling to_common(const engine::generate_request& request, const model& model,
                                 const answer_format& format) {
    const engine::sampling& in = request.sampling;
    common_params_sampling params;
    params.seed = static_cast<std::uint32_t>(in.seed);
    params.temp = in.temperature;
    params.top_p = in.top_p;
    params.top_k = in.top_k;
    params.min_p = in.min_p;
    params.penalty_repeat = in.repeat_penalty;
    params.penalty_freq = in.frequency_penalty;
    params.penalty_present = in.presence_penalty;
    params.penalty_last_n = in.penalty_last_n;
    params.no_perf = true;
    params.samplers = {COMMON_SAMPLER_TYPE_PENALTIES, COMMON_SAMPLER_TYPE_TOP_K, COMMON_SAMPLER_TYPE_TOP_P,
                       COMMON_SAMPLER_TYPE_MIN_P, COMMON_SAMPLER_TYPE_TEMPERATURE};
    for (const auto& [token, bias] : in.logit_bias) {
        params.logit_bias.push_back({token, bias});
    }
    if (request.ignore_end) {
        for (engine::token_id token = 0; token < model.vocabulary_size(); ++token) {
            if (model.ends_answer(token)) {
                params.logit_bias.push_back({token, -INFINITY});
            }
        }
    }
    add_grammar(model, format, params);
    return params;
}

/// common_sampler_init leaks its chain when the grammar does not parse.
bool parses(const model& model, const common_params_sampling& params) {
    const std::string& grammar = common_grammar_value(params.grammar);
    if (grammar.empty()) {
        return true;
    }
    llama_sampler* parsed = llama_sampler_init_grammar(model.vocab(), grammar.c_str(), "root");
    llama_sampler_free(parsed);
    return parsed != nullptr;
}

/// First index of the highest value. The lanes let the compiler use vector instructions.
std::size_t highest(std::span<const float> values) {
    constexpr std::size_t lanes = 16;
    std::array<float, lanes> best{};
    best.fill(-INFINITY);
    std::size_t i = 0;
    for (; i + lanes <= values.size(); i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            best[lane] = values[i + lane] > best[lane] ? values[i + lane] : best[lane];
        }
    }
    float top = *std::max_element(best.begin(), best.end());
    for (; i < values.size(); ++i) {
        top = std::max(top, values[i]);
    }
    const auto found = std::find(values.begin(), values.end(), top);
    return found == values.end() ? 0 : static_cast<std::size_t>(found - values.begin());
}

/// The highest logit once `biases` are added; the logits are left as they were.
engine::token_id most_likely(std::span<float> logits, std::span<const llama_logit_bias> biases) {
    std::vector<float> before;
    for (const llama_logit_bias& bias : biases) {
        float& logit = logits[static_cast<std::size_t>(bias.token)];
        before.push_back(logit);
        logit += bias.bias;
    }
    const auto chosen = static_cast<engine::token_id>(highest(logits));
    for (std::size_t i = biases.size(); i-- > 0;) {  // backwards: a token may be biased twice
        logits[static_cast<std::size_t>(biases[i].token)] = before[i];
    }
    return chosen;
}

bool has_penalties(const engine::sampling& s) {
    return s.penalty_last_n != 0 &&
           (s.repeat_penalty != 1.0F || s.frequency_penalty != 0.0F || s.presence_penalty != 0.0F);
}

}  // namespace

struct sampler::state {
    common_sampler_ptr chain;
    counter* draws = nullptr;               // owned by the chain
    std::vector<engine::token_id> opening;  // the answer's first tokens, when its format leaves no choice
    bool greedy = false;                    // the most likely token is drawn, and nothing but `biases` changes which
    std::vector<llama_logit_bias> biases;
    std::int32_t vocabulary = 0;
};

sampler::sampler(std::unique_ptr<state> made) : state_(std::move(made)) {}
sampler::sampler(sampler&&) noexcept = default;
sampler& sampler::operator=(sampler&&) noexcept = default;
sampler::~sampler() = default;

result<sampler> sampler::create(const model& model, const engine::generate_request& request,
                                const answer_format& format, std::span<const engine::token_id> prompt) {
    auto made = std::make_unique<state>();
    common_params_sampling params = to_common(request, model, format);
    // llama-common aborts the process for this prefix when it was built without that library.
    if (common_grammar_value(params.grammar).starts_with("%llguidance")) {
        return fail(engine::errc::invalid_request, "grammars in llguidance syntax are not supported; use GBNF");
    }
    made->vocabulary = model.vocabulary_size();
    made->opening = format.opening;
    if (auto fits = check_grammar(common_grammar_value(params.grammar)); !fits) {
        return fits.error();
    }
    if (!parses(model, params)) {
        return fail(engine::errc::invalid_request, "the grammar does not parse; check it against GBNF's rules");
    }
    try {
        made->chain.reset(common_sampler_init(model.handle(), params));
    } catch (const std::exception& e) {
        return fail(engine::errc::invalid_request, fmt::format("the grammar or schema cannot be used: {}", e.what()));
    }
    llama_sampler* chain = common_sampler_get(made->chain.get());
    llama_sampler_free(llama_sampler_chain_remove(chain, llama_sampler_chain_n(chain) - 1));
    llama_sampler* draws = make_counter({.seed = request.sampling.seed});
    made->draws = static_cast<counter*>(draws->ctx);
    llama_sampler_chain_add(chain, draws);

    const bool penalised = has_penalties(request.sampling);
    std::int32_t suppressed = 0;
    llama_vocab_get_suppress_tokens(model.vocab(), &suppressed);
    made->greedy = request.sampling.temperature <= 0.0F && !penalised && params.grammar.empty() && suppressed == 0;
    made->biases = params.logit_bias;
    if (penalised) {
        const auto window = request.sampling.penalty_last_n < 0
                                ? prompt.size()
                                : std::min(prompt.size(), static_cast<std::size_t>(request.sampling.penalty_last_n));
        for (const engine::token_id token : prompt.last(window)) {
            common_sampler_accept(made->chain.get(), token, false);
        }
    }
    return sampler(std::move(made));
}

engine::token_id sampler::sample(llama_context* context, std::int32_t row, std::uint64_t index) {
    if (state_->greedy) {
        return most_likely({llama_get_logits_ith(context, row), static_cast<std::size_t>(state_->vocabulary)},
                           state_->biases);
    }
    if (index < state_->opening.size()) {
        return state_->opening[index];
    }
    state_->draws->index = index;
    return common_sampler_sample(state_->chain.get(), context, row);
}

bool sampler::accept(engine::token_id token) {
    if (state_->greedy) {
        return true;
    }
    try {
        common_sampler_accept(state_->chain.get(), token, true);
    } catch (const std::exception&) {
        return false;
    }
    return true;
}

engine::emitted_token with_logprobs(const model& model, std::span<const float> logits, engine::token_id token,
                                    std::int32_t top) {
    const float highest = *std::max_element(logits.begin(), logits.end());
    const double sum = std::accumulate(logits.begin(), logits.end(), 0.0, [&](double total, float logit) {
        return total + std::exp(static_cast<double>(logit) - highest);
    });
    const double log_sum = highest + std::log(sum);
    const auto logprob = [&](engine::token_id id) {
        return static_cast<float>(logits[static_cast<std::size_t>(id)] - log_sum);
    };

    engine::emitted_token out{
        .id = token, .bytes = model.piece(token, true), .logprob = logprob(token), .alternatives = {}};
    const auto count = std::min(static_cast<std::size_t>(std::max(top, 0)), logits.size());
    std::vector<engine::token_id> ids(logits.size());
    std::iota(ids.begin(), ids.end(), 0);
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                      [&](engine::token_id a, engine::token_id b) {
                          return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
                      });
    for (std::size_t i = 0; i < count; ++i) {
        out.alternatives.push_back({.id = ids[i], .bytes = model.piece(ids[i], true), .logprob = logprob(ids[i])});
    }
    return out;
}

}  // namespace starling::llama

#include "api/inference.hpp"

#include "aio/together.hpp"
#include "api/mesh_view.hpp"
#include "api/sinks.hpp"
#include "base/unix_time.hpp"
#include "openai/sse.hpp"

#include <fmt/format.h>

#include <utility>

namespace starling::api {

namespace {

/// One request for each choice; they differ in their seed. `of_prompt` is used up.
void add_choices(engine::generate_request of_prompt, std::int32_t choices, std::vector<engine::generate_request>& all) {
    const auto seed = of_prompt.sampling.seed;
    for (std::int32_t i = 0; i < choices; ++i) {
        all.push_back(i + 1 < choices ? of_prompt : std::move(of_prompt));
        all.back().sampling.seed = seed + all.size() - 1;
    }
}

std::vector<std::string> echoes_of(const std::vector<engine::generate_request>& requests) {
    std::vector<std::string> echoes;
    for (const auto& request : requests) {
        const auto* text = std::get_if<engine::text_prompt>(&request.prompt);
        echoes.push_back(text == nullptr ? std::string{} : text->text);
    }
    return echoes;
}

/// Empty for this node itself: the headers have named it.
std::string name_of(const mesh_view* mesh, const std::string& node_id) {
    for (peer_facts& peer : mesh != nullptr ? mesh->peers() : std::vector<peer_facts>()) {
        if (peer.node_id == node_id) {
            return std::move(peer.name);
        }
    }
    return {};
}

}  // namespace

inference::inference(const options& options, route::model_table& models, mesh_view* mesh, metrics& metrics,
                     std::function<std::uint64_t()> random)
    : options_(options), models_(models), mesh_(mesh), metrics_(metrics), random_(std::move(random)) {}

std::shared_ptr<engine::generator> inference::choose(call& call, const std::string& model) {
    const auto now = std::chrono::steady_clock::now();
    auto chosen = mesh_ != nullptr ? mesh_->choose(model, now) : models_.choose(model, now);
    if (chosen.has_error()) {
        call.send_error(chosen.error(), "model");
        return nullptr;
    }
    call.entry.model = chosen->model_id;
    call.entry.detail = std::move(chosen->reason);
    return std::move(chosen->generator);
}

openai::answer_identity inference::identify(const call& call, std::string_view prefix) {
    return {fmt::format("{}{:016x}", prefix, random_()), call.entry.model, unix_time_s()};
}

http::awaitable<void> inference::chat(call& call, std::string body) {
    auto parsed = openai::parse_chat_request(body, random_());
    std::string().swap(body);
    if (parsed.has_error()) {
        call.send_error(parsed.error().why, parsed.error().param);
        co_return;
    }
    auto generator = choose(call, parsed->generate.model);
    if (!generator) {
        co_return;
    }
    const auto streaming = parsed->streaming;
    const bool logprobs = parsed->generate.logprobs.has_value();
    const auto choices = static_cast<std::size_t>(parsed->choices);
    std::vector<engine::generate_request> requests;
    add_choices(std::move(parsed->generate), parsed->choices, requests);

    generation drawn(std::move(generator), choices);
    const auto opened = co_await drawn.open(std::move(requests), call.context());
    if (opened.has_error()) {
        call.send_error(opened.error());
        co_return;
    }
    call.answered_by(drawn.from());
    auto format = make_chat_format(identify(call, "chatcmpl-"), streaming, logprobs);
    co_await answer(call, std::move(drawn), std::move(format), streaming, choices, logprobs);
}

http::awaitable<void> inference::completions(call& call, std::string body) {
    auto parsed = openai::parse_completion_request(body, random_());
    std::string().swap(body);
    if (parsed.has_error()) {
        call.send_error(parsed.error().why, parsed.error().param);
        co_return;
    }
    auto generator = choose(call, parsed->generate.front().model);
    if (!generator) {
        co_return;
    }
    const auto streaming = parsed->streaming;
    const bool logprobs = parsed->generate.front().logprobs.has_value();
    std::vector<engine::generate_request> requests;
    for (auto& of_prompt : parsed->generate) {
        add_choices(std::move(of_prompt), parsed->choices, requests);
    }
    const std::size_t choices = requests.size();
    auto echoes = parsed->echo ? echoes_of(requests) : std::vector<std::string>{};

    generation drawn(std::move(generator), static_cast<std::size_t>(parsed->choices));
    const auto opened = co_await drawn.open(std::move(requests), call.context());
    if (opened.has_error()) {
        call.send_error(opened.error());
        co_return;
    }
    call.answered_by(drawn.from());
    auto format = make_completion_format(identify(call, "cmpl-"), streaming, logprobs, choices, std::move(echoes));
    co_await answer(call, std::move(drawn), std::move(format), streaming, choices, logprobs);
}

http::awaitable<void> inference::answer(call& call, generation generation, std::unique_ptr<answer_format> format,
                                        openai::stream_options streaming, std::size_t choices, bool logprobs) {
    if (streaming.stream) {
        co_await answer_stream(call, generation, *format, choices);
    } else {
        co_await answer_whole(call, generation, *format, choices, logprobs);
    }
    account(call, generation);
}

http::awaitable<void> inference::answer_whole(call& call, generation& generation, answer_format& format,
                                              std::size_t choices, bool logprobs) {
    collecting_sink sink(choices, logprobs, [&] { metrics_.first_token(call.entry.model, call.seconds_so_far()); });
    co_await generation.run(sink);
    if (generation.failure()) {
        call.send_error(*generation.failure());
    } else {
        call.answered_by(generation.from());
        call.send_json(format.whole(sink.release(), generation.usage()));
    }
}

http::awaitable<void> inference::answer_stream(call& call, generation& generation, answer_format& format,
                                               std::size_t choices) {
    streaming_sink sink(
        format, call.writer, [&] { metrics_.first_token(call.entry.model, call.seconds_so_far()); },
        [this](const std::string& node_id) { return name_of(mesh_, node_id); });
    call.begin_events();
    sink.open(choices);
    auto choices_drawn = generation.run(sink);
    auto comments = sink.run_comment_loop(options_.sse_comment_every);
    co_await aio::first_of(std::move(choices_drawn), std::move(comments));
    if (generation.failure()) {
        call.entry.detail = generation.failure()->message;
        sink.write(openai::sse_error(*generation.failure()));
    } else {
        call.answered_by(generation.from());
        sink.usage(generation.usage());
        sink.write(openai::sse_done);
    }
    call.writer.end();
}

void inference::account(call& call, const generation& generation) {
    call.entry.prompt_tokens = generation.usage().prompt_tokens;
    call.entry.completion_tokens = generation.usage().completion_tokens;
    if (!generation.failure()) {
        metrics_.answer_complete(call.entry.model, generation.usage(), generation.timing());
    }
}

http::awaitable<void> inference::embeddings(call& call, std::string body) {
    auto parsed = openai::parse_embeddings_request(body);
    std::string().swap(body);
    if (parsed.has_error()) {
        call.send_error(parsed.error().why, parsed.error().param);
        co_return;
    }
    auto generator = choose(call, parsed->embed.model);
    if (!generator) {
        co_return;
    }
    const auto own = generator->info().embedding_length;
    if (parsed->dimensions && *parsed->dimensions != own) {
        call.send_error(fail(openai::errc::unsupported_value,
                             fmt::format("'dimensions' is {}, but the vectors of '{}' have {}, and are not cut.",
                                         *parsed->dimensions, call.entry.model, own)),
                        "dimensions");
        co_return;
    }
    const auto vectors = co_await generator->embed(std::move(parsed->embed), call.context());
    if (vectors.has_error()) {
        call.send_error(vectors.error());
        co_return;
    }
    call.answered_by(vectors->from);
    call.entry.prompt_tokens = vectors->prompt_tokens;
    call.send_json(openai::embeddings_answer(call.entry.model, *vectors, parsed->encoding));
}

}  // namespace starling::api

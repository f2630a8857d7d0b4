#include "api/generation.hpp"

#include "aio/together.hpp"

namespace starling::api {

generation::generation(std::shared_ptr<engine::generator> generator, std::size_t choices_per_prompt)
    : generator_(std::move(generator)), choices_per_prompt_(choices_per_prompt) {}

http::awaitable<result<void>> generation::open(std::vector<engine::generate_request> requests, aio::call_context call) {
    for (auto& request : requests) {
        auto stream = co_await generator_->generate(std::move(request), call);
        if (stream.has_error()) {
            streams_.clear();
            co_return std::move(stream).error();
        }
        streams_.push_back(std::move(*stream));
    }
    from_ = streams_.front()->from();
    co_return result<void>{};
}

http::awaitable<void> generation::run(choice_sink& sink) {
    if (streams_.size() == 1) {
        co_await run_choice(0, sink);
        co_return;
    }
    std::vector<http::awaitable<void>> choices;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        choices.push_back(run_choice(i, sink));
    }
    co_await aio::all_of(std::move(choices));
}

http::awaitable<void> generation::run_choice(std::size_t choice, choice_sink& sink) {
    std::uint32_t moves = 0;
    while (!failure_) {
        auto event = co_await streams_[choice]->next();
        if (failure_) {
            break;
        }
        if (event.has_error()) {
            failure_ = std::move(event).error();
            break;
        }
        if (streams_[choice]->moves() != moves) {
            moves = streams_[choice]->moves();
            sink.moved(choice, streams_[choice]->from());
        }
        if (const auto* end = std::get_if<engine::finished>(&*event)) {
            count(choice, *end);
            sink.finish(choice, end->reason);
            break;
        }
        auto& chunk = std::get<engine::chunk>(*event);
        if (chunk.replaced) {
            sink.moved(choice, {.node = chunk.replaced->node, .reason = {}, .cause = chunk.replaced->cause});
        }
        sink.take(choice, std::move(chunk));
        if (sink.is_behind()) {
            co_await sink.caught_up();
        }
    }
    if (choice == 0) {
        from_ = streams_[choice]->from();
    }
    streams_[choice].reset();  // its slot is free, whatever the other choices still do
}

void generation::count(std::size_t choice, const engine::finished& end) {
    usage_.completion_tokens += end.usage.completion_tokens;
    if (choice % choices_per_prompt_ == 0) {
        usage_.prompt_tokens += end.usage.prompt_tokens;
        usage_.cached_tokens += end.usage.cached_tokens;
    }
    timing_ = end.timing;
}

}  // namespace starling::api

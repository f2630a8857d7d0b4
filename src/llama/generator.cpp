// engine::generator over a scheduler: prepares requests on a small pool, hands them to the engine thread, and reads
// their events back.
#include "aio/run_on.hpp"
#include "llama/assemble.hpp"
#include "llama/llama.hpp"
#include "llama/preparer.hpp"
#include "llama/scheduler.hpp"

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace starling::llama {

namespace asio = boost::asio;

namespace {

// What an answer may use by default. Longer contexts cost memory for every slot; --ctx asks for them.
constexpr std::int32_t default_context = 4096;
constexpr std::int32_t default_slots = 4;

class local_stream final : public engine::token_stream {
  public:
    local_stream(std::shared_ptr<stream_link> link, std::shared_ptr<inbox> engine, std::int32_t prompt_tokens)
        : link_(std::move(link)), engine_(std::move(engine)), prompt_tokens_(prompt_tokens) {}

    ~local_stream() override {
        link_->cancelled = true;
        link_->events.leave();
        engine_->wake();
    }

    engine::awaitable<result<engine::stream_event>> next() override {
        auto event = co_await link_->events.receive();
        if (link_->paused.exchange(false)) {
            engine_->wake();
        }
        if (!event) {
            co_return fail(engine::errc::unavailable, "the engine stopped before the answer was complete");
        }
        co_return std::move(*event);
    }

    std::int32_t prompt_tokens() const override { return prompt_tokens_; }

  private:
    std::shared_ptr<stream_link> link_;
    std::shared_ptr<inbox> engine_;
    std::int32_t prompt_tokens_;
};

class local_generator final : public engine::generator {
  public:
    local_generator(std::shared_ptr<const model> model, std::unique_ptr<stage_chain> chain,
                    const engine_options& options, log_sink log, std::unique_ptr<drafter> draft)
        : model_(std::move(model)),
          context_(options.context),
          queue_limit_(options.queue_limit),
          in_(std::make_shared<inbox>(static_cast<std::size_t>(options.queue_limit))),
          preparer_(model_, options.context),
          scheduler_(model_, std::move(chain), in_,
                     {.slots = options.slots, .context = options.context, .queue_limit = options.queue_limit},
                     std::move(log), std::move(draft)),
          engine_([this] { scheduler_.run(); }) {}

    ~local_generator() override {
        in_->stop();
        scheduler_.interrupt();
        engine_.join();
        pool_.join();
    }

    engine::model_info info() const override {
        auto info = model_->info();
        info.context_length = context_;
        return info;
    }

    engine::engine_load load() const override { return scheduler_.load(); }

    engine::awaitable<result<std::unique_ptr<engine::token_stream>>> generate(engine::generate_request request,
                                                                              aio::call_context call) override {
        auto link = std::make_shared<stream_link>(co_await asio::this_coro::executor);
        auto preparing = prepare(std::move(request), std::move(call), link);
        auto job = co_await aio::run_on(pool_.get_executor(), std::move(preparing));
        if (!job) {
            co_return job.error();
        }
        const auto prompt_tokens = (*job)->prompt_tokens;
        if ((*job)->complete) {
            send_complete(**job);
        } else if (!in_->push(std::move(*job))) {
            co_return fail(engine::errc::queue_full,
                           fmt::format("{} requests are already waiting for {}; try again later", queue_limit_,
                                       model_->info().id));
        }
        co_return std::make_unique<local_stream>(std::move(link), in_, prompt_tokens);
    }

    engine::awaitable<result<engine::embedding_result>> embed(engine::embed_request request,
                                                              aio::call_context call) override {
        static_cast<void>(call);
        auto preparing = prepare(std::move(request));
        auto inputs = co_await aio::run_on(pool_.get_executor(), std::move(preparing));
        if (!inputs) {
            co_return inputs.error();
        }
        auto reply =
            std::make_shared<aio::channel<result<engine::embedding_result>>>(co_await asio::this_coro::executor, 1);
        if (!in_->push(std::make_unique<embedding>(embedding{.inputs = std::move(*inputs), .reply = reply}))) {
            co_return fail(engine::errc::queue_full,
                           fmt::format("too many requests are waiting for {}; try again later", model_->info().id));
        }
        aio::reader answers(reply);
        auto answer = co_await answers.receive();
        if (!answer) {
            co_return fail(engine::errc::unavailable, "the engine stopped before the input was embedded");
        }
        co_return std::move(*answer);
    }

  private:
    engine::awaitable<result<std::unique_ptr<generation>>> prepare(engine::generate_request request,
                                                                   aio::call_context call,
                                                                   std::shared_ptr<stream_link> link) {
        try {
            co_return preparer_.prepare(std::move(request), std::move(call), std::move(link));
        } catch (const std::exception& e) {
            co_return cannot_read(e);
        }
    }

    engine::awaitable<result<std::vector<std::vector<engine::token_id>>>> prepare(engine::embed_request request) {
        try {
            co_return preparer_.prepare(request);
        } catch (const std::exception& e) {
            co_return cannot_read(e);
        }
    }

    // llama.cpp's tokenizers throw where a vocabulary lacks what a text needs.
    error cannot_read(const std::exception& e) const {
        return fail(engine::errc::invalid_request,
                    fmt::format("{} cannot turn this text into tokens: {}", model_->info().id, e.what()));
    }

    /// The last token of an answer comes with all text that was still held back, so only the end itself is missing.
    static void send_complete(generation& job) {
        engine::chunk sent_already;
        job.text.finish(sent_already);
        auto reason = *job.complete;
        if (reason == engine::finish_reason::stop && job.text.has_tool_calls()) {
            reason = engine::finish_reason::tool_calls;
        }
        const auto tokens = static_cast<std::int32_t>(job.tokens.size());
        job.link->events.try_send(
            engine::stream_event(engine::finished{.reason = reason,
                                                  .usage = {.prompt_tokens = job.prompt_tokens,
                                                            .completion_tokens = tokens - job.prompt_tokens,
                                                            .cached_tokens = 0},
                                                  .timing = {}}));
    }

    std::shared_ptr<const model> model_;
    std::int32_t context_;
    std::int32_t queue_limit_;
    std::shared_ptr<inbox> in_;
    preparer preparer_;
    scheduler scheduler_;
    asio::thread_pool pool_{1};
    std::thread engine_;
};

}  // namespace

engine_options with_defaults(engine_options options, const model& model) {
    if (options.context <= 0) {
        options.context = std::min(default_context, model.trained_context());
    }
    if (options.slots <= 0) {
        options.slots = default_slots;
    }
    return options;
}

std::shared_ptr<engine::generator> make_engine(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain,
                                               const engine_options& options, log_sink log,
                                               std::unique_ptr<drafter> draft) {
    return std::make_shared<local_generator>(std::move(text), std::move(chain), options, std::move(log),
                                             std::move(draft));
}

result<std::unique_ptr<drafter>> load_drafter(const engine_options& options, const model& target,
                                              const load_progress& progress, const log_sink& log) {
    if (options.draft.empty() || !target.can_generate()) {
        return nullptr;
    }
    if (!target.can_truncate()) {
        return fail(errc::draft_unusable,
                    fmt::format("{} cannot use a draft: its memory is a running state, from which rejected tokens "
                                "cannot be taken back",
                                target.info().id));
    }
    engine_options small = options;
    small.id = options.draft.stem().string();
    small.path = options.draft;
    const load_progress watched = [&](float) { return !progress || progress(1.0F); };
    auto loaded = model::load(small, watched, log);
    if (!loaded) {
        return loaded.error();
    }
    return drafter::create(*loaded, target,
                           {.slots = options.slots, .context = options.context, .threads = options.threads});
}

result<std::shared_ptr<engine::generator>> load_engine(engine_options options, load_progress progress, log_sink log) {
    auto loaded = model::load(options, progress, log);
    if (!loaded) {
        return loaded.error();
    }
    options = with_defaults(std::move(options), **loaded);
    auto draft = load_drafter(options, **loaded, progress, log);
    if (!draft) {
        return draft.error();
    }
    auto only = stage::create(*loaded, {.context = options.context,
                                        .sequences = options.slots,
                                        .threads = options.threads,
                                        .outputs = outputs_with(draft->get())});
    if (!only) {
        return only.error();
    }
    return make_engine(*loaded, std::make_unique<local_chain>(std::move(*only)), options, std::move(log),
                       std::move(*draft));
}

}  // namespace starling::llama

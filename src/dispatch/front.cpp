#include "dispatch/front.hpp"

#include "dispatch/search.hpp"
#include "dispatch/stream.hpp"
#include "engine/load_sum.hpp"

#include <algorithm>
#include <utility>

namespace starling::dispatch {

namespace {

prompt_chain chain_of(const engine::embed_request& request) {
    std::size_t tokens = 0;
    for (const auto& input : request.inputs) {
        const auto* text = std::get_if<std::string>(&input);
        tokens += text != nullptr ? text->size() / characters_per_token
                                  : std::get<std::vector<engine::token_id>>(input).size();
    }
    prompt_chain out;
    out.tokens = static_cast<std::int32_t>(tokens);
    return out;
}

}  // namespace

front::front(std::shared_ptr<core> of, std::string model, engine::model_info info)
    : core_(std::move(of)), model_(std::move(model)), info_(std::move(info)) {}

engine::model_info front::info() const {
    auto out = info_;
    for (const worker& one : core_->workers.workers(model_)) {
        out.context_length = std::max(out.context_length, one.generator ? one.generator->info().context_length : 0);
    }
    return out;
}

engine::engine_load front::load() const {
    return engine::total_load(core_->workers.workers(model_));
}

engine::awaitable<result<std::unique_ptr<engine::token_stream>>> front::generate(engine::generate_request request,
                                                                                 aio::call_context call) {
    auto stream = std::make_unique<dispatched_stream>(core_, model_, std::move(request), std::move(call));
    auto placed = co_await stream->place();
    if (!placed) {
        co_return placed.error();
    }
    std::unique_ptr<engine::token_stream> out = std::move(stream);
    co_return out;
}

engine::awaitable<result<engine::embedding_result>> front::embed(engine::embed_request request,
                                                                 aio::call_context call) {
    const auto shared = core_;
    const auto what = std::make_shared<const engine::embed_request>(std::move(request));
    constexpr std::int32_t no_answer = 1;  // the prompt is all there is to do
    search workers(shared, model_, chain_of(*what), no_answer, call);
    std::function<engine::awaitable<result<engine::embedding_result>>(engine::generator&)> question =
        [what, call](engine::generator& by) { return by.embed(*what, call); };
    auto finding =
        workers.find<engine::embedding_result>(std::move(question), shared->how.stall_timeout * first_token_patience);
    auto found = co_await std::move(finding);
    if (!found) {
        co_return found.error();
    }
    const auto& view = found->at.by.view;
    ++(view.here ? shared->count.routed_here : shared->count.routed_to_peers);
    decision made{.request_id = call.request_id,
                  .model = workers.model(),
                  .node = to_string(view.id),
                  .here = view.here,
                  .reason = found->at.reason,
                  .resumed_at = -1,
                  .cause = workers.cause()};
    shared->note(std::move(made));
    co_return std::move(found->answer);
}

}  // namespace starling::dispatch

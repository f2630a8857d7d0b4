#include "llama/scheduler.hpp"

#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace starling::llama {

namespace {

// How long an engine with nothing to do sleeps before it looks at deadlines again.
constexpr std::chrono::milliseconds idle_patience{1000};
// Readers that make room wake the engine; this only bounds a wake-up that was missed.
constexpr std::chrono::milliseconds paused_patience{20};
// Prompts may hold streams up for about this long before they decode again.
constexpr double chunk_seconds = 0.3;
// Wider steps of several prompts are hardly faster per token, but all of them wait for the last (on processors).
constexpr std::int32_t join_width = 64;
// A token that nobody reads costs a fraction of the second pass over the weights that it saves.
constexpr std::int32_t max_gap = 3;
// What a copy inside memory moves; deliberately low.
constexpr double copy_bytes_per_s = 2e9;

}  // namespace

scheduler::scheduler(std::unique_ptr<stage_chain> chain, std::shared_ptr<inbox> in, scheduler_options options,
                     log_sink log)
    : chain_(std::move(chain)),
      in_(std::move(in)),
      options_(options),
      log_(std::move(log)),
      embedder_(chain_->last().shared_model(), chain_->last().threads()) {
    for (sequence_id sequence = 0; sequence < options_.slots; ++sequence) {
        slots_.emplace_back(sequence);
    }
    counts_.slots = options_.slots;
    counts_.queue_limit = options_.queue_limit;
    published_ = counts_;
}

void scheduler::run() {
    while (!in_->stopped()) {
        receive();
        drop_abandoned();
        admit();
        step next = plan_step();
        if (!next.tokens.empty()) {
            compute(std::move(next));
        }
        publish();
    }
    fail_all(fail(engine::errc::unavailable, "the engine was stopped"));
}

void scheduler::receive() {
    const bool running = anything_running();
    const bool paused =
        std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return !s.idle() && s.paused(); });
    auto delivery = in_->take(!running, waiting_.size(), paused ? paused_patience : idle_patience);
    for (auto& job : delivery.generations) {
        waiting_.push_back(std::move(job));
    }
    for (auto& job : delivery.embeddings) {
        job->reply->try_send(embedder_.embed(job->inputs));
    }
}

bool scheduler::anything_running() const {
    const bool busy = std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return !s.idle() && !s.paused(); });
    const bool any_idle = std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.idle(); });
    return busy || (any_idle && !waiting_.empty());
}

void scheduler::drop_abandoned() {
    const auto now = steady_clock::now();
    for (slot& slot : slots_) {
        if (slot.idle()) {
            continue;
        }
        if (slot.work().link->cancelled) {
            ++counts_.cancelled;
            slot.release(++serial_);
        } else if (slot.paused()) {
            slot.flush();
            settle(slot);
        } else if (now > slot.work().call.deadline) {
            abandon(slot, fail(engine::errc::deadline, "the time for this request is over"));
        }
    }
    std::erase_if(waiting_, [&](const std::unique_ptr<generation>& job) {
        if (job->link->cancelled) {
            ++counts_.cancelled;
            return true;
        }
        if (now > job->call.deadline) {
            job->link->events.try_send(fail(engine::errc::deadline, "the time for this request is over"));
            return true;
        }
        return false;
    });
}

prefix_costs scheduler::costs() const {
    const auto& model = chain_->last().of();
    const double copy_s = static_cast<double>(chain_->last().sequence_bytes()) / copy_bytes_per_s;
    return {.copy_tokens = static_cast<std::int32_t>(copy_s * prefill_tokens_per_s_),
            .can_truncate = model.can_truncate(),
            .window = model.sliding_window()};
}

void scheduler::admit() {
    const prefix_costs now = costs();
    for (auto job = waiting_.begin(); job != waiting_.end();) {
        std::vector<slot_view> views;
        for (const slot& slot : slots_) {
            views.push_back(slot.view(now.window > 0 ? chain_->last().lowest_position(slot.sequence()) : 0));
        }
        const auto where = place_prompt((*job)->tokens, views, now);
        if (where) {
            place(std::move(*job), *where);
            job = waiting_.erase(job);
        } else if (std::none_of(views.begin(), views.end(), [](const slot_view& view) { return view.idle; })) {
            break;
        } else {
            ++job;
        }
    }
}

void scheduler::place(std::unique_ptr<generation> job, const placement& where) {
    slot& slot = slots_[static_cast<std::size_t>(where.slot)];
    if (where.copy_from) {
        next_.edits.emplace_back(prefix_copy{.from = *where.copy_from, .to = where.slot, .length = where.keep});
    } else {
        next_.edits.emplace_back(truncation{.sequence = where.slot, .from = where.keep});
    }
    counts_.cached_tokens += static_cast<std::uint64_t>(where.keep);
    counts_.prompt_tokens += static_cast<std::uint64_t>(job->prompt_tokens);
    slot.start(std::move(job), where.keep, ++serial_);
}

step scheduler::plan_step() {
    const auto& model = chain_->last().of();
    std::vector<slot_demand> demands;
    for (const slot& slot : slots_) {
        if (!slot.idle() && !slot.paused()) {
            demands.push_back({.sequence = slot.sequence(),
                               .pending = slot.pending_tokens(),
                               .arrival = static_cast<std::uint64_t>(slot.started_at.time_since_epoch().count()),
                               .together = slot.pending_together()});
        }
    }
    const std::int32_t widest = max_step_tokens(model);
    auto shares = share_step(demands, {.max_tokens = widest,
                                       .prefill_budget = budget_.left(prefill_tokens_per_s_ * chunk_seconds),
                                       .join_below = model.on_gpu() ? widest : join_width});
    const bool decodes = std::all_of(shares.begin(), shares.end(), [](const auto& share) { return share.tokens == 1; });
    const bool streams_wait =
        !decodes && std::any_of(demands.begin(), demands.end(), [](const auto& d) { return d.pending == 1; });
    budget_.spend(std::accumulate(shares.begin(), shares.end(), 0,
                                  [](std::int32_t sum, const allotment& share) { return sum + share.tokens; }),
                  streams_wait);

    if (shares.empty()) {
        return {};  // edits wait for a step that is carried out
    }
    step next = std::exchange(next_, {});
    std::vector<cache_edit> undo;
    if (model.can_truncate()) {
        for (const sequence_id sequence : gaps_to_fill(shares, max_gap)) {
            const slot& idle = slots_[static_cast<std::size_t>(sequence)];
            const auto end = static_cast<position>(idle.cached().size());
            if (idle.idle() && end < options_.context) {
                shares.push_back({.sequence = sequence, .tokens = 0});
                undo.emplace_back(truncation{.sequence = sequence, .from = end});
            }
        }
        std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    }
    for (const allotment& share : shares) {
        slot& slot = slots_[static_cast<std::size_t>(share.sequence)];
        auto at = static_cast<position>(slot.cached().size());
        if (share.tokens == 0) {
            next.tokens.push_back({.token = 0, .at = at, .sequence = share.sequence, .output = false});
            continue;
        }
        const bool reaches_end = share.tokens == slot.pending_tokens();
        for (const engine::token_id token : slot.advance(share.tokens)) {
            next.tokens.push_back({.token = token, .at = at++, .sequence = share.sequence, .output = false});
        }
        next.tokens.back().output = reaches_end;
    }
    next_.edits = std::move(undo);
    return next;
}

void scheduler::compute(step next) {
    std::vector<std::pair<sequence_id, std::int32_t>> rows;
    for (std::size_t i = 0; i < next.tokens.size(); ++i) {
        if (next.tokens[i].output) {
            rows.emplace_back(next.tokens[i].sequence, static_cast<std::int32_t>(i));
        }
    }
    const std::size_t tokens = next.tokens.size();
    const auto began = steady_clock::now();
    chain_->submit(std::move(next));
    if (auto done = chain_->collect(); !done) {
        if (!in_->stopped()) {
            if (log_) {
                log_(log_level::error, done.error().message);
            }
            fail_all(done.error());
        }
        return;
    }
    learn_prefill_speed(tokens, steady_clock::now() - began);
    for (const auto& [sequence, row] : rows) {
        slot& slot = slots_[static_cast<std::size_t>(sequence)];
        try {
            draw(slot, row);
        } catch (const std::exception& e) {
            abandon(slot, fail(engine::errc::internal, fmt::format("the next token could not be drawn: {}", e.what())));
        }
    }
}

void scheduler::learn_prefill_speed(std::size_t tokens, std::chrono::duration<double> took) {
    if (tokens < static_cast<std::size_t>(prefill_piece)) {
        return;
    }
    const double speed = static_cast<double>(tokens) / std::max(took.count(), 1e-6);
    prefill_tokens_per_s_ = prefill_tokens_per_s_ == 0.0 ? speed : 0.7 * prefill_tokens_per_s_ + 0.3 * speed;
}

void scheduler::draw(slot& slot, std::int32_t row) {
    generation& work = slot.work();
    const auto& model = chain_->last().of();
    llama_context* context = chain_->last().context();
    if (slot.first_token_at == steady_clock::time_point{}) {
        slot.first_token_at = steady_clock::now();
    }
    const auto token = work.draw.sample(context, row, static_cast<std::uint64_t>(slot.answer_tokens()));
    if (model.ends_answer(token) && !work.ignore_end) {
        return finish(slot, engine::finish_reason::stop, {});
    }
    if (!work.draw.accept(token)) {
        return abandon(slot, fail(engine::errc::internal, "the grammar rejected a token that it had allowed"));
    }
    ++counts_.generated_tokens;

    engine::chunk chunk;
    const bool more = work.text.push(token, chunk);
    if (work.logprobs) {
        const std::span<const float> logits(llama_get_logits_ith(context, row),
                                            static_cast<std::size_t>(model.vocabulary_size()));
        chunk.tokens.push_back(with_logprobs(model, logits, token, *work.logprobs));
    } else {
        chunk.tokens.push_back({.id = token, .bytes = model.piece(token, true), .logprob = {}, .alternatives = {}});
    }
    slot.append(token);
    if (!more) {
        return finish(slot, engine::finish_reason::stop, std::move(chunk));
    }
    const bool full = static_cast<std::int32_t>(work.tokens.size()) >= options_.context;
    if (slot.answer_tokens() >= work.max_tokens || full) {
        return finish(slot, engine::finish_reason::length, std::move(chunk));
    }
    slot.send(std::move(chunk));
}

void scheduler::finish(slot& slot, engine::finish_reason reason, engine::chunk last) {
    generation& work = slot.work();
    work.text.finish(last);
    if (reason == engine::finish_reason::stop && work.text.has_tool_calls()) {
        reason = engine::finish_reason::tool_calls;
    }
    const auto ms = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
    const auto now = steady_clock::now();
    engine::finished end{.reason = reason, .usage = {}, .timing = {}};
    end.usage = {.prompt_tokens = work.prompt_tokens,
                 .completion_tokens = slot.answer_tokens(),
                 .cached_tokens = std::min(slot.reused(), work.prompt_tokens)};
    end.timing = {.queue_ms = ms(slot.started_at - work.queued_at),
                  .prefill_ms = ms(slot.first_token_at - slot.started_at),
                  .decode_ms = ms(now - slot.first_token_at)};
    slot.send(std::move(last));
    slot.end(engine::stream_event(end));
    settle(slot);
}

void scheduler::abandon(slot& slot, error why) {
    slot.end(std::move(why));
    settle(slot);
}

void scheduler::settle(slot& slot) {
    if (slot.done()) {
        slot.release(++serial_);
    }
}

void scheduler::fail_all(const error& why) {
    for (slot& slot : slots_) {
        if (!slot.idle()) {
            slot.end(why);
            if (!slot.done()) {
                slot.work().link->events.close();  // no room for a reason, but the reader must not wait for ever
            }
            slot.release(++serial_);
        }
        slot.forget();
        next_.edits.emplace_back(truncation{.sequence = slot.sequence(), .from = 0});
    }
    if (in_->stopped()) {
        for (auto& job : waiting_) {
            job->link->events.try_send(why);
        }
        waiting_.clear();
    }
}

engine::engine_load scheduler::load() const {
    const std::lock_guard lock(published_mutex_);
    engine::engine_load snapshot = published_;
    snapshot.queued += static_cast<std::int32_t>(in_->queued());
    snapshot.tokens_per_s = rate_meter(published_rate_).per_second(steady_clock::now());
    return snapshot;
}

void scheduler::publish() {
    const auto now = steady_clock::now();
    const std::lock_guard lock(published_mutex_);
    published_rate_.add(now, counts_.generated_tokens - published_.generated_tokens);
    published_ = counts_;
    published_.busy =
        static_cast<std::int32_t>(std::count_if(slots_.begin(), slots_.end(), [](const slot& s) { return !s.idle(); }));
    published_.queued = static_cast<std::int32_t>(waiting_.size());
}

}  // namespace starling::llama

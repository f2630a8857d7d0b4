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

scheduler::scheduler(std::shared_ptr<const model> text, std::unique_ptr<stage_chain> chain, std::shared_ptr<inbox> in,
                     scheduler_options options, log_sink log, std::unique_ptr<drafter> draft)
    : text_(std::move(text)),
      chain_(std::move(chain)),
      in_(std::move(in)),
      options_(options),
      log_(std::move(log)),
      drafter_(std::move(draft)),
      draft_policy_(max_draft_tokens, options.slots) {
    if (!chain_->single_pass()) {
        embedder_.emplace(chain_->last().shared_model(), chain_->last().threads());
    }
    for (sequence_id sequence = 0; sequence < options_.slots; ++sequence) {
        slots_.emplace_back(sequence);
    }
    counts_.slots = options_.slots;
    counts_.queue_limit = options_.queue_limit;
    published_ = counts_;
    chain_->notify([in = in_] { in->wake(); });
}

void scheduler::run() {
    bool moved = false;
    while (!in_->stopped()) {
        receive(!moved);
        moved = drop_abandoned();
        if (const auto why = chain_->ended()) {
            fail_all(*why);
            fail_waiting(*why);
        }
        moved |= admit();
        moved |= embed();
        moved |= fill();
        flush_held();
        moved |= collect();
        publish();
    }
    const error why = fail(engine::errc::unavailable, "the engine was stopped");
    fail_all(why);
    fail_waiting(why);
}

void scheduler::interrupt() {
    chain_->interrupt();
    if (drafter_) {
        drafter_->interrupt();
    }
}

/// `block`: the last turn moved nothing, and only something from outside can change that.
void scheduler::receive(bool block) {
    const bool paused =
        std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return !s.idle() && s.paused(); });
    auto delivery = in_->take(block, waiting_.size(), paused ? paused_patience : idle_patience);
    for (auto& job : delivery.generations) {
        waiting_.push_back(std::move(job));
    }
    for (auto& job : delivery.embeddings) {
        to_embed_.push_back(std::move(job));
    }
}

bool scheduler::drop_abandoned() {
    const auto now = steady_clock::now();
    bool moved = false;
    for (slot& slot : slots_) {
        if (slot.idle()) {
            continue;
        }
        if (slot.work().link->cancelled) {
            ++counts_.cancelled;
            slot.release(++serial_);
            moved = true;
        } else if (slot.paused()) {
            slot.flush();
            settle(slot);
            moved = moved || slot.idle();
        } else if (now > slot.work().call.deadline) {
            abandon(slot, fail(engine::errc::deadline, "the time for this request is over"));
            moved = true;
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
    return moved;
}

prefix_costs scheduler::costs() const {
    const double copy_s = static_cast<double>(chain_->sequence_bytes()) / copy_bytes_per_s;
    return {.copy_tokens = static_cast<std::int32_t>(copy_s * prefill_tokens_per_s_),
            .can_truncate = text_->can_truncate(),
            .window = chain_->sliding_window()};
}

bool scheduler::admit() {
    const prefix_costs now = costs();
    bool moved = false;
    for (auto job = waiting_.begin(); job != waiting_.end();) {
        std::vector<slot_view> views;
        for (const slot& slot : slots_) {
            views.push_back(slot.view(
                now.window > 0 ? chain_->lowest_position(slot.sequence(), static_cast<position>(slot.cached().size()))
                               : 0));
        }
        const auto where = place_prompt((*job)->tokens, views, now);
        if (where) {
            place(std::move(*job), *where);
            job = waiting_.erase(job);
            moved = true;
        } else if (std::none_of(views.begin(), views.end(), [](const slot_view& view) { return view.idle; })) {
            break;
        } else {
            ++job;
        }
    }
    return moved;
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
    draft_policy_.begin(where.slot);
}

bool scheduler::fill() {
    // More than one step for each stage hides that not all of them take equally long.
    const std::size_t most = chain_->depth() > 1 ? 2 * chain_->depth() : 1;
    bool moved = false;
    while (to_embed_.empty() && chain_->usable() && flights_.size() < most) {
        planned next = plan_step();
        if (next.what.tokens.empty()) {
            break;
        }
        submit(std::move(next));
        moved = true;
    }
    return moved;
}

void scheduler::flush_held() {
    for (slot& slot : slots_) {
        if (!slot.idle()) {
            slot.flush_held();
        }
    }
}

std::vector<slot_demand> scheduler::demands() const {
    std::vector<slot_demand> out;
    for (const slot& slot : slots_) {
        if (!slot.idle() && !slot.paused() && slot.pending_tokens() > 0) {
            out.push_back({.sequence = slot.sequence(),
                           .pending = slot.pending_tokens(),
                           .arrival = static_cast<std::uint64_t>(slot.started_at.time_since_epoch().count()),
                           .together = slot.pending_together()});
        }
    }
    return out;
}

std::vector<allotment> scheduler::share(const std::vector<slot_demand>& demands) {
    const auto streams = static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const slot& s) { return !s.idle() && !s.paused(); }));
    const std::int32_t widest = chain_->widest();
    const std::int32_t join = text_->on_gpu() ? widest : join_width;
    auto shares = share_step(demands, {.max_tokens = widest,
                                       .prefill_budget = budget_.left(prefill_tokens_per_s_ * chunk_seconds),
                                       .join_below = chain_->single_pass() ? 0 : join,
                                       .max_streams = streams_of_a_step(streams, chain_->depth())});
    const bool decodes = std::all_of(shares.begin(), shares.end(), [](const auto& share) { return share.tokens == 1; });
    const bool streams_wait =
        !decodes && std::any_of(demands.begin(), demands.end(), [](const auto& d) { return d.pending == 1; });
    budget_.spend(std::accumulate(shares.begin(), shares.end(), 0,
                                  [](std::int32_t sum, const allotment& share) { return sum + share.tokens; }),
                  streams_wait);
    return shares;
}

/// Adds the gaps that are worth a token nobody reads, as shares of no tokens. Gives which they are.
std::vector<sequence_id> scheduler::fill_gaps(std::vector<allotment>& shares) const {
    std::vector<sequence_id> filled;
    if (text_->can_truncate()) {
        for (const sequence_id sequence : gaps_to_fill(shares, max_gap)) {
            const slot& between = slots_[static_cast<std::size_t>(sequence)];
            if (between.idle() && static_cast<position>(between.cached().size()) < options_.context) {
                filled.push_back(sequence);
            }
        }
    }
    if (chain_->single_pass()) {
        shares = neighbours(std::move(shares), filled);
        std::erase_if(filled, [&](sequence_id sequence) { return sequence > shares.back().sequence; });
    }
    for (const sequence_id sequence : filled) {
        shares.push_back({.sequence = sequence, .tokens = 0});
    }
    std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
    return filled;
}

scheduler::planned scheduler::plan_step() {
    const auto wanted = demands();
    if (wanted.empty()) {
        return {};
    }
    auto shares = share(wanted);
    if (shares.empty()) {
        return {};  // edits wait for a step that is carried out
    }
    const auto filled = fill_gaps(shares);
    const drafts drafted = propose(shares);
    planned next{.what = std::exchange(next_, {}), .effort = drafted.effort};
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const auto proposed = drafted.tokens > 0 ? std::span<const engine::token_id>(drafted.of_share[i])
                                                 : std::span<const engine::token_id>{};
        bring(slots_[static_cast<std::size_t>(shares[i].sequence)], shares[i], proposed, drafted.tokens, next.what);
    }
    for (const sequence_id sequence : filled) {
        const auto end = static_cast<position>(slots_[static_cast<std::size_t>(sequence)].cached().size());
        next_.edits.emplace_back(truncation{.sequence = sequence, .from = end});
    }
    return next;
}

/// Adds what a slot brings to a step: its share of known tokens, or one that nobody reads; and behind it what was
/// proposed, filled up to `width` tokens so that all sequences bring equally many.
void scheduler::bring(slot& slot, const allotment& share, std::span<const engine::token_id> drafted, std::int32_t width,
                      step& into) {
    auto at = static_cast<position>(slot.cached().size());
    const auto add = [&](engine::token_id token, bool output) {
        into.tokens.push_back({.token = token, .at = at++, .sequence = share.sequence, .output = output});
    };
    if (share.tokens == 0) {
        for (std::int32_t i = 0; i <= width; ++i) {
            add(0, false);
        }
        return;
    }
    const bool reaches_end = share.tokens == slot.pending_tokens();
    for (const engine::token_id token : slot.advance(share.tokens)) {
        add(token, false);
    }
    into.tokens.back().output = reaches_end;
    if (width > 0) {
        std::vector<engine::token_id> tried(drafted.begin(), drafted.end());
        tried.resize(static_cast<std::size_t>(width), 0);
        for (std::size_t i = 0; i < tried.size(); ++i) {
            add(tried[i], i < drafted.size());
        }
        slot.try_out(tried);
    }
}

void scheduler::submit(planned next) {
    const auto& tokens = next.what.tokens;
    flight out{.rows = {}, .tokens = tokens.size(), .began = steady_clock::now(), .effort = next.effort};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!tokens[i].output) {
            continue;
        }
        const sequence_id sequence = tokens[i].sequence;
        if (!out.rows.empty() && out.rows.back().sequence == sequence) {
            out.rows.back().drafted.push_back(tokens[i].token);
            continue;
        }
        out.rows.push_back({.sequence = sequence,
                            .turn = slots_[static_cast<std::size_t>(sequence)].turn(),
                            .row = static_cast<std::int32_t>(i),
                            .drafted = {}});
    }
    flights_.push_back(std::move(out));
    chain_->submit(std::move(next.what));
}

bool scheduler::collect() {
    if (!chain_->ready()) {
        return false;
    }
    auto done = chain_->collect();
    if (!done && done.error() == errc::stages_lost) {
        compute_again();
        return true;
    }
    const flight collected = std::move(flights_.front());
    flights_.pop_front();
    if (!done) {
        if (!in_->stopped()) {
            if (log_) {
                log_(log_level::error, done.error().message);
            }
            fail_all(done.error());
        }
        return true;
    }
    learn_prefill_speed(collected);
    const std::chrono::duration<double> pass = steady_clock::now() - collected.began;
    std::vector<draft_outcome> outcomes;
    for (const output_row& output : collected.rows) {
        slot& slot = slots_[static_cast<std::size_t>(output.sequence)];
        if (slot.idle() || slot.over() || slot.turn() != output.turn) {
            continue;  // its request has ended while the step was on its way
        }
        try {
            outcomes.push_back(draw_all(slot, output));
        } catch (const std::exception& e) {
            abandon(slot, fail(engine::errc::internal, fmt::format("the next token could not be drawn: {}", e.what())));
        }
    }
    learn_draft(collected, pass.count(), std::move(outcomes));
    return true;
}

/// Every cache is empty now, whatever was on its way.
void scheduler::compute_again() {
    flights_.clear();
    next_ = {};
    for (slot& slot : slots_) {
        slot.lose_stages();
    }
}

/// Of steps that are on their way together, each takes as long as it comes after the one before.
void scheduler::learn_prefill_speed(const flight& done) {
    const auto now = steady_clock::now();
    const std::chrono::duration<double> took = now - std::max(done.began, last_collected_);
    last_collected_ = now;
    if (done.tokens < static_cast<std::size_t>(prefill_piece)) {
        return;
    }
    const double speed = static_cast<double>(done.tokens) / std::max(took.count(), 1e-6);
    prefill_tokens_per_s_ = prefill_tokens_per_s_ == 0.0 ? speed : 0.7 * prefill_tokens_per_s_ + 0.3 * speed;
}

/// Gives the token that was drawn, whatever became of the request by it.
engine::token_id scheduler::draw(slot& slot, std::int32_t row) {
    generation& work = slot.work();
    const auto& model = *text_;
    llama_context* context = chain_->last().context();
    if (slot.first_token_at == steady_clock::time_point{}) {
        slot.first_token_at = steady_clock::now();
    }
    const auto token = work.draw.sample(context, row, static_cast<std::uint64_t>(slot.answer_tokens()));
    if (model.ends_answer(token) && !work.ignore_end) {
        finish(slot, engine::finish_reason::stop, {});
        return token;
    }
    if (!work.draw.accept(token)) {
        abandon(slot, fail(engine::errc::internal, "the grammar rejected a token that it had allowed"));
        return token;
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
    if (slot.tells_loss()) {
        chunk.replaced = chain_->replaced();
    }
    const bool full = static_cast<std::int32_t>(work.tokens.size()) >= options_.context;
    if (!more) {
        finish(slot, engine::finish_reason::stop, std::move(chunk));
    } else if (slot.answer_tokens() >= work.max_tokens || full) {
        finish(slot, engine::finish_reason::length, std::move(chunk));
    } else {
        slot.send(std::move(chunk));
    }
    return token;
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
}

void scheduler::fail_waiting(const error& why) {
    for (auto& job : waiting_) {
        job->link->events.try_send(why);
    }
    waiting_.clear();
    for (auto& job : to_embed_) {
        job->reply->try_send(why);
    }
    to_embed_.clear();
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

#include "pipeline/chain_wiring.hpp"

#include "aio/pause.hpp"

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace starling::pipeline {

namespace {

using std::chrono::steady_clock;

constexpr double newest_share = 0.1;  // of the last step in a figure: some ten steps count
constexpr auto close_time = std::chrono::milliseconds(500);
constexpr int looks_per_step_time = 8;  // how often the oldest step's age is looked at

double in_ms(steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

void mix(double* into, double value) {
    *into = *into == 0.0 ? value : *into + newest_share * (value - *into);
}

stage_open last_opening(const chain_spec& spec) {
    return opening_of(spec, spec.remote.size() - 1);
}

}  // namespace

chain_wiring::chain_wiring(boost::asio::any_io_executor network, chain_spec spec, std::vector<open_stage> stages,
                           std::shared_ptr<step_exchange> exchange, data_inlets& inlets, peer_links& links,
                           const chain_options& options, lost_hook on_lost)
    : network_(network),
      spec_(std::move(spec)),
      stages_(std::move(stages)),
      exchange_(std::move(exchange)),
      options_(options),
      on_lost_(std::move(on_lost)),
      out_(limits_into(opening_of(spec_, 0), stages_.front().width)),
      in_(limits_out_of(last_opening(spec_), stages_.back().width)),
      writer_(links, stages_.front().node, {.deployment = spec_.deployment, .epoch = spec_.epoch, .index = 0}),
      changed_(network),
      tasks_(network),
      inlet_(inlets.expect(spec_.deployment, stages_.size(),
                           [this](const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on) {
                               return take(opening, from, on);
                           })) {
    figures_.epoch = spec_.epoch;
    for (const open_stage& stage : stages_) {
        figures_.stages.push_back({.node = stage.node, .last_heard = steady_clock::now()});
    }
}

void chain_wiring::start() {
    tasks_.spawn(run_send_loop());
    tasks_.spawn(run_refusal_loop());
    tasks_.spawn(run_receive_loop());
    tasks_.spawn(run_stall_loop());
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        std::shared_ptr<transport::message_stream> control = std::move(stages_[i].control);
        controls_.push_back(control);
        tasks_.spawn(run_control_loop(i, std::move(control)));
    }
}

void chain_wiring::cancel() {
    closing_ = true;
    tasks_.cancel();
}

void chain_wiring::close(const std::string& reason) {
    if (!std::exchange(closing_, true)) {
        tasks_.spawn(run_close(reason));
    }
}

awaitable<void> chain_wiring::run_close(std::string reason) {
    const auto self = shared_from_this();
    const stage_message message(stage_close{std::move(reason)});
    const auto deadline = steady_clock::now() + close_time;
    for (const auto& one : controls_) {
        if (const auto control = one.lock()) {
            auto sent = co_await control->send(to_json(message), deadline);
            if (sent) {
                control->finish();
            }
        }
    }
    // Not from within: Asio cannot end a coroutine that is cancelled before it has ever waited.
    boost::asio::post(network_, [self] { self->tasks_.cancel(); });
}

result<void> chain_wiring::take(const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on) {
    if (auto right = check_opening(opening, from, spec_.epoch, stages_.back().node); !right) {
        return right;
    }
    if (reader_) {
        return fail(errc::second_stream, "The last stage has its data stream already.");
    }
    reader_ = std::move(on);
    changed_.notify();
    return {};
}

/// The first report stops the chain; a better one that comes while others may still speak decides who it was.
void chain_wiring::lose(suspect who) {
    if (closing_) {
        return;
    }
    if (!suspect_) {
        suspect_ = std::move(who);
        exchange_->lose(suspect_->why);
        tasks_.spawn(settle());
    } else if (who.by > suspect_->by) {
        suspect_ = std::move(who);
    }
}

awaitable<void> chain_wiring::settle() {
    const auto self = shared_from_this();
    co_await aio::pause(options_.gather_time);
    if (!std::exchange(closing_, true)) {
        tasks_.cancel();
        if (on_lost_) {
            on_lost_(suspect_->node, suspect_->why);
        }
    }
}

awaitable<void> chain_wiring::run_send_loop() {
    const auto self = shared_from_this();
    while (!suspect_) {
        auto next = exchange_->next_outgoing();
        if (!next) {
            co_await changed_.wait_until(steady_time::max());
            continue;
        }
        data_frame frame;
        frame.number = next->number;
        frame.step = std::move(next->step);
        bytes written;
        if (auto done = encode(frame, out_, &written); !done) {
            lose({.node = spec_.coordinator, .why = done.error(), .by = evidence::own_words});
            break;
        }
        sent_.push_back({.number = frame.number, .at = steady_clock::now()});
        const auto before = writer_.sent_bytes();
        auto sent = co_await writer_.write(std::move(written), options_.frame_time);
        figures_.sent_bytes += writer_.sent_bytes() - before;
        changed_.notify();
        if (!sent) {
            lose({.node = writer_.to(), .why = sent.error(), .by = evidence::neighbour});
        }
    }
}

awaitable<void> chain_wiring::run_refusal_loop() {
    const auto self = shared_from_this();
    while (!suspect_ && !writer_.is_open()) {
        co_await changed_.wait_until(steady_time::max());
    }
    if (!suspect_) {
        auto why = co_await writer_.until_refused();
        lose({.node = writer_.to(), .why = std::move(why), .by = evidence::neighbour});
    }
}

awaitable<void> chain_wiring::run_receive_loop() {
    const auto self = shared_from_this();
    const node_id from = stages_.back().node;
    step_number next = 0;
    while (!suspect_) {
        if (!reader_) {
            co_await changed_.wait_until(steady_time::max());
            continue;
        }
        auto got = co_await reader_->next(in_, options_.frame_time);
        if (!got) {
            const auto by = got.error() == errc::lost ? evidence::neighbour : evidence::own_words;
            lose({.node = from, .why = got.error(), .by = by});
            break;
        }
        figures_.received_bytes += got->size() + frame_length_bytes;
        auto frame = decode(*got, in_, next);
        if (!frame) {
            lose({.node = from, .why = frame.error(), .by = evidence::own_words});
            break;
        }
        ++next;
        measure(*frame);
        if (auto given = exchange_->give(std::move(*frame)); !given) {
            lose({.node = from, .why = given.error(), .by = evidence::own_words});
        }
    }
}

void chain_wiring::measure(const data_frame& frame) {
    const auto sent =
        std::find_if(sent_.begin(), sent_.end(), [&](const sent_step& one) { return one.number == frame.number; });
    if (sent == sent_.end()) {
        return;  // it comes back before it went out: the exchange will say so
    }
    last_headway_ = steady_clock::now();
    const double round_trip = in_ms(steady_clock::now() - sent->at);
    sent_.erase(sent_.begin(), sent + 1);
    double computed = 0.0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        const double ms = frame.computed_us[i] / 1e3;
        computed += ms;
        mix(&figures_.stages[i].ms_per_step, ms);
    }
    mix(&figures_.round_trip_ms, round_trip);
    mix(&figures_.hop_ms, std::max(0.0, round_trip - computed) / static_cast<double>(stages_.size() + 1));
    ++figures_.steps;
}

awaitable<void> chain_wiring::run_control_loop(std::size_t index, std::shared_ptr<transport::message_stream> control) {
    const auto self = shared_from_this();
    bool listening = true;
    while (listening) {
        auto message = co_await control->receive(steady_clock::now() + options_.silence);
        if (!message) {
            const bool late = message.error() == transport::errc::deadline;
            lose({.node = stages_[index].node,
                  .why = fail(errc::lost, late ? std::string("The stage was not heard of in time.")
                                               : "The stage is gone: " + message.error().message),
                  .by = evidence::silence});
            break;
        }
        listening = hear(index, *message);
    }
}

/// True while more is to be heard.
bool chain_wiring::hear(std::size_t index, const std::string& message) {
    stage_figures& figures = figures_.stages[index];
    figures.last_heard = steady_clock::now();
    auto parsed = parse_stage_message(message);
    if (!parsed) {
        lose({.node = figures.node, .why = parsed.error(), .by = evidence::own_words});
        return false;
    }
    if (const auto* state = std::get_if<stage_state>(&*parsed)) {
        if (state->steps > figures.steps) {
            last_headway_ = steady_clock::now();
        }
        figures.steps = state->steps;
        figures.ms_per_token = state->ms_per_token;
        return true;
    }
    if (auto* refused = std::get_if<stage_refused>(&*parsed)) {
        const bool about_other = refused->about && *refused->about != figures.node;
        // Of its own failure a stage is the best witness; that a neighbour is gone may be the work of a third.
        const bool hearsay = about_other && (refused->why == errc::lost || refused->why == errc::closed);
        lose({.node = about_other ? *refused->about : figures.node,
              .why = std::move(refused->why),
              .by = hearsay ? evidence::neighbour : evidence::own_words});
        return false;
    }
    lose({.node = figures.node,
          .why = fail(errc::malformed, "A stage at work sent something else than its state."),
          .by = evidence::own_words});
    return false;
}

awaitable<void> chain_wiring::run_stall_loop() {
    const auto self = shared_from_this();
    while (!suspect_) {
        co_await aio::pause(options_.step_time / looks_per_step_time);
        const auto oldest = exchange_->oldest();
        if (!oldest || sent_.empty()) {
            continue;
        }
        if (steady_clock::now() - std::max(last_headway_, sent_.front().at) > options_.step_time) {
            lose({.node = slowest_of(*oldest),
                  .why = fail(errc::stalled, fmt::format("Step {} makes no headway.", *oldest)),
                  .by = evidence::own_words});
        }
    }
}

/// The first stage that has not computed the step; the last one, when each says that it has.
const node_id& chain_wiring::slowest_of(step_number step) const {
    for (const stage_figures& stage : figures_.stages) {
        if (stage.steps <= step) {
            return stage.node;
        }
    }
    return stages_.back().node;
}

chain_figures chain_wiring::figures() const {
    return figures_;
}

}  // namespace starling::pipeline

#include "pipeline/stage_session.hpp"

#include "aio/pause.hpp"
#include "aio/together.hpp"

#include <utility>
#include <vector>

namespace starling::pipeline {

namespace {

/// A stream that cannot be written to may still bring the reason, which says more.
constexpr auto reason_time = std::chrono::milliseconds(20);

}  // namespace

stage_session::stage_session(boost::asio::any_io_executor network, const stage_open& opened,
                             std::unique_ptr<stage_engine> engine, data_inlets& inlets, peer_links& links,
                             std::chrono::milliseconds frame_time)
    : opened_(opened),
      in_(limits_into(opened, engine->width())),
      frame_time_(frame_time),
      changed_(network),
      writer_(links, successor(opened),
              {.deployment = opened.deployment, .epoch = opened.epoch, .index = opened.index + 1}),
      worker_(network, std::move(engine), limits_out_of(opened, in_.width)),
      inlet_(inlets.expect(opened.deployment, opened.index,
                           [this](const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on) {
                               return take(opening, from, on);
                           })) {}

result<void> stage_session::take(const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on) {
    if (auto right = check_opening(opening, from, opened_.epoch, predecessor(opened_)); !right) {
        return right;
    }
    if (reader_) {
        return fail(errc::second_stream, "This stage has its data stream already.");
    }
    reader_ = std::move(on);
    changed_.notify();
    return {};
}

void stage_session::end(stage_refused why) {
    if (!ended_) {
        ended_ = std::move(why);
        changed_.notify();
    }
}

awaitable<stage_refused> stage_session::run() {
    auto working = run_loops();
    auto ending = until_ended();
    co_await aio::first_of(std::move(working), std::move(ending));
    co_return *ended_;
}

awaitable<void> stage_session::run_loops() {
    std::vector<awaitable<void>> loops;
    loops.push_back(run_read_loop());
    loops.push_back(run_write_loop());
    loops.push_back(run_refusal_loop());
    co_await aio::all_of(std::move(loops));
}

awaitable<void> stage_session::until_ended() {
    while (!ended_) {
        co_await changed_.wait_until(steady_time::max());
    }
}

awaitable<void> stage_session::run_read_loop() {
    while (!ended_) {
        if (!reader_ || in_flight_ >= held_steps) {
            co_await changed_.wait_until(steady_time::max());
            continue;
        }
        auto got = co_await reader_->next(in_, frame_time_);
        if (!got) {
            end({.why = got.error(), .about = predecessor(opened_)});
            break;
        }
        auto frame = decode(*got, in_, next_);
        if (!frame) {
            end({.why = frame.error(), .about = predecessor(opened_)});
            break;
        }
        ++next_;
        ++in_flight_;
        worker_.push(std::move(*frame));
    }
}

awaitable<void> stage_session::run_write_loop() {
    while (!ended_) {
        auto done = co_await worker_.next();
        if (!done) {
            end({.why = fail(errc::closed, "The stage was stopped."), .about = {}});
            break;
        }
        if (!*done) {
            end({.why = done->error(), .about = {}});
            break;
        }
        auto sent = co_await writer_.write(std::move((*done)->frame), frame_time_);
        if (!sent) {
            co_await aio::pause(reason_time);
            end({.why = sent.error(), .about = writer_.to()});
            break;
        }
        --in_flight_;
        changed_.notify();
    }
}

awaitable<void> stage_session::run_refusal_loop() {
    while (!ended_ && !writer_.is_open()) {
        co_await changed_.wait_until(steady_time::max());
    }
    if (!ended_) {
        auto why = co_await writer_.until_refused();
        end({.why = std::move(why), .about = writer_.to()});
    }
}

session_figures stage_session::figures() const {
    return {.steps = worker_.steps(),
            .ms_per_token = worker_.ms_per_token(),
            .received_bytes = reader_ ? reader_->received_bytes() : 0,
            .sent_bytes = writer_.sent_bytes()};
}

}  // namespace starling::pipeline

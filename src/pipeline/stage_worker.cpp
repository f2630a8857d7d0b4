#include "pipeline/stage_worker.hpp"

#include "aio/pause.hpp"
#include "aio/together.hpp"

#include <exception>
#include <utility>

namespace starling::pipeline {

namespace {

using std::chrono::steady_clock;

constexpr double newest_share = 0.1;  // of the last step in ms_per_token: some ten steps count

}  // namespace

stage_worker::stage_worker(boost::asio::any_io_executor network, std::unique_ptr<stage_engine> engine,
                           const data_limits& out)
    : engine_(std::move(engine)),
      out_(out),
      done_(std::make_shared<aio::channel<result<stage_done>>>(network, held_steps + 1)),
      ended_(std::make_shared<aio::channel<bool>>(network, 1)),
      thread_([this] { run(); }) {}

stage_worker::~stage_worker() {
    if (thread_.joinable()) {
        stop();
        engine_->interrupt();
        thread_.join();
    }
    done_->leave();
    ended_->leave();
}

void stage_worker::push(data_frame frame) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(frame));
    }
    changed_.notify_one();
}

awaitable<std::optional<result<stage_done>>> stage_worker::next() {
    return done_->receive();
}

awaitable<released_engine> stage_worker::release(std::chrono::milliseconds patience) {
    stop();
    bool ended = false;
    bool interrupted = false;
    auto ending = until_ended(&ended);
    auto waiting = aio::pause(patience);
    co_await aio::first_of(std::move(ending), std::move(waiting));
    if (!ended) {
        engine_->interrupt();
        interrupted = true;
        co_await until_ended(&ended);
    }
    thread_.join();
    released_engine out{.engine = std::move(engine_), .interrupted = interrupted};
    co_return out;
}

awaitable<void> stage_worker::until_ended(bool* ended) {
    auto told = co_await ended_->receive();
    *ended = told.has_value();
}

void stage_worker::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        waiting_.clear();
    }
    changed_.notify_one();
}

std::optional<data_frame> stage_worker::take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) {
        return std::nullopt;
    }
    data_frame next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
}

void stage_worker::run() {
    bool sound = true;
    if (auto cleared = engine_->clear(); !cleared) {
        sound = false;
        done_->try_send(cleared.error());
    }
    while (auto next = take()) {
        if (sound) {
            auto done = compute(std::move(*next));
            sound = done.has_value();
            done_->try_send(std::move(done));
        }
    }
    ended_->try_send(true);
}

result<stage_done> stage_worker::compute(data_frame frame) {
    const auto began = steady_clock::now();
    std::vector<float> out;
    try {
        if (auto ran = engine_->run(frame.step, frame.activations, &out); !ran) {
            return fail(errc::engine_failed, ran.error().message);
        }
    } catch (const std::exception& e) {
        return fail(errc::engine_failed, e.what());  // memory that ran out, say: this stage ends, and not the node
    }
    const std::chrono::duration<double, std::milli> took = steady_clock::now() - began;
    learn(frame.step.tokens.size(), took);
    frame.activations = std::move(out);
    frame.computed_us.push_back(static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::microseconds>(took).count()));
    stage_done done{.number = frame.number, .frame = {}};
    if (auto written = encode(frame, out_, &done.frame); !written) {
        return written.error();
    }
    return done;
}

void stage_worker::learn(std::size_t tokens, std::chrono::duration<double, std::milli> took) {
    ++steps_;
    if (tokens != 0) {
        const double now = took.count() / static_cast<double>(tokens);
        const double before = ms_per_token_;
        ms_per_token_ = before == 0.0 ? now : before + newest_share * (now - before);
    }
}

}  // namespace starling::pipeline

#include "aio/task_scope.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <list>
#include <utility>
#include <vector>

namespace starling::aio {

namespace {

bool is_cancellation(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

struct task_scope::state {
    state(asio::any_io_executor ex, failure_sink sink)
        : executor(std::move(ex)), on_failure(std::move(sink)), ended(executor) {
        ended.expires_at(asio::steady_timer::time_point::max());
    }

    asio::any_io_executor executor;
    failure_sink on_failure;
    asio::steady_timer ended;  // cancelled when the last task ends
    std::list<asio::cancellation_signal> tasks;
    bool cancelled = false;

    void finish(std::list<asio::cancellation_signal>::iterator task, const std::exception_ptr& failure) {
        tasks.erase(task);
        if (failure && on_failure && !is_cancellation(failure)) {
            on_failure(failure);
        }
        if (tasks.empty()) {
            ended.cancel();
        }
    }
};

task_scope::task_scope(asio::any_io_executor executor, failure_sink on_failure)
    : state_(std::make_shared<state>(std::move(executor), std::move(on_failure))) {}

task_scope::~task_scope() {
    cancel();
}

void task_scope::spawn(asio::awaitable<void> task) {
    if (state_->cancelled) {
        return;
    }
    const auto entry = state_->tasks.emplace(state_->tasks.end());
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(entry->slot(), [keep = state_, entry](std::exception_ptr failure) {
                       keep->finish(entry, failure);
                   }));
}

void task_scope::cancel() {
    state_->cancelled = true;
    // A task may end while it is told, and take itself off the list.
    const auto keep = state_;
    for (auto task = keep->tasks.begin(); task != keep->tasks.end();) {
        const auto current = task++;
        current->emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<void> task_scope::join() {
    const auto keep = state_;
    while (!keep->tasks.empty()) {
        co_await keep->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<bool> task_scope::join_for(std::chrono::milliseconds time) {
    const auto keep = state_;
    asio::steady_timer limit(keep->executor, time);
    limit.async_wait([keep](boost::system::error_code failed) {
        if (!failed) {
            keep->ended.cancel();
        }
    });
    const auto until = std::chrono::steady_clock::now() + time;
    while (!keep->tasks.empty() && std::chrono::steady_clock::now() < until) {
        co_await keep->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return keep->tasks.empty();
}

std::size_t task_scope::running() const {
    return state_->tasks.size();
}

}  // namespace starling::aio

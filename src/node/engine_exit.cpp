#include "node/engine_exit.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <mutex>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

struct engine_exit::state {
    asio::thread_pool thread{1};
    std::mutex mutex;
    bool closed = false;
};

engine_exit::engine_exit() : state_(std::make_shared<state>()) {}

engine_exit::~engine_exit() {
    close();
}

std::shared_ptr<engine::generator> engine_exit::guard(std::shared_ptr<engine::generator> engine) const {
    auto* const raw = engine.get();
    const auto let_go = [held = std::move(engine), at = state_](engine::generator*) mutable {
        std::unique_lock lock(at->mutex);
        if (!at->closed) {
            asio::post(at->thread, [last = std::move(held)]() mutable { last.reset(); });
        }
        lock.unlock();
        held.reset();
    };
    return {raw, let_go};
}

asio::any_io_executor engine_exit::executor() const {
    return state_->thread.get_executor();
}

void engine_exit::close() {
    {
        const std::scoped_lock lock(state_->mutex);
        state_->closed = true;
    }
    state_->thread.join();
}

}  // namespace starling::node

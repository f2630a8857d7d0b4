#include "llama/job.hpp"

#include <utility>

namespace starling::llama {

bool inbox::push(std::unique_ptr<generation> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || incoming_.generations.size() + waiting_ >= limit_) {
            return false;
        }
        incoming_.generations.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
}

bool inbox::push(std::unique_ptr<embedding> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || incoming_.embeddings.size() >= limit_) {
            return false;
        }
        incoming_.embeddings.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
}

void inbox::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    changed_.notify_one();
}

void inbox::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_one();
}

bool inbox::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

std::size_t inbox::queued() const {
    const std::lock_guard lock(mutex_);
    return incoming_.generations.size();
}

inbox::delivery inbox::take(bool block, std::size_t waiting, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    waiting_ = waiting;
    if (block) {
        changed_.wait_for(lock, patience, [this] {
            return stopped_ || woken_ || !incoming_.generations.empty() || !incoming_.embeddings.empty();
        });
    }
    woken_ = false;
    waiting_ += incoming_.generations.size();
    return std::exchange(incoming_, {});
}

}  // namespace starling::llama

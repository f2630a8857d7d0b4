#include "upstream/usage_counters.hpp"

namespace starling::upstream {

namespace {

std::int64_t second_of(token_rate::time_point now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void token_rate::count(std::int32_t tokens, time_point now) {
    const std::int64_t second = second_of(now);
    const std::scoped_lock lock(mutex_);
    bucket& into = buckets_[static_cast<std::size_t>(second) % buckets_.size()];
    if (into.second != second) {
        into = {.second = second, .tokens = 0};
    }
    into.tokens += tokens;
}

double token_rate::per_second(time_point now) const {
    const std::int64_t second = second_of(now);
    std::int64_t sum = 0;
    const std::scoped_lock lock(mutex_);
    for (const bucket& from : buckets_) {
        // The second that is running is not over, and would make the rate too small.
        if (from.second >= second - window_s && from.second < second) {
            sum += from.tokens;
        }
    }
    return static_cast<double>(sum) / static_cast<double>(window_s);
}

engine::engine_load usage_counters::snapshot(token_rate::time_point now) const {
    engine::engine_load out;
    out.busy = busy.load();
    out.tokens_per_s = rate.per_second(now);
    out.prompt_tokens = prompt_tokens.load();
    out.generated_tokens = generated_tokens.load();
    out.cached_tokens = cached_tokens.load();
    out.cancelled = cancelled.load();
    return out;
}

}  // namespace starling::upstream

#include "route/worker_policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace starling::route {

namespace {

constexpr double assumed_prefill = 200.0;  // tokens per second, when nobody was ever measured
constexpr double assumed_decode = 20.0;

struct speeds {
    double prefill = assumed_prefill;
    double decode = assumed_decode;
};

/// Of those that were measured.
speeds mean_of(std::span<const worker_view> workers) {
    const auto mean = [&](double worker_view::* speed, double otherwise) {
        double sum = 0.0;
        int count = 0;
        for (const worker_view& one : workers) {
            sum += one.*speed;
            count += one.*speed > 0.0 ? 1 : 0;
        }
        return count > 0 ? sum / count : otherwise;
    };
    return {.prefill = mean(&worker_view::prefill_tokens_per_s, assumed_prefill),
            .decode = mean(&worker_view::decode_tokens_per_s, assumed_decode)};
}

double predict_s(const worker_view& of, const demand& what, const speeds& usual) {
    const double prefill_speed = of.prefill_tokens_per_s > 0.0 ? of.prefill_tokens_per_s : usual.prefill;
    const double decode_speed = of.decode_tokens_per_s > 0.0 ? of.decode_tokens_per_s : usual.decode;
    const double slots = std::max(1, of.slots);
    const double new_tokens = std::max(0, what.prompt_tokens - of.cached_tokens);
    const double prefill = new_tokens / prefill_speed;
    const double beside = std::min(static_cast<double>(std::max(0, of.busy)), slots - 1.0);
    const double answer = what.answer_tokens / decode_speed * (1.0 + slower_for_each * beside);
    // Those who wait are like this request, and are served by all slots together.
    const bool waits = of.busy >= of.slots;
    const double ahead = waits ? of.queued + 1.0 : static_cast<double>(of.queued);
    const double queue = ahead * (prefill + answer) / slots;
    const double round_trip = std::chrono::duration<double>(of.round_trip).count();
    const double strain = 1.0 + std::max(0.0, healthy_above - of.health.score) / healthy_above;
    return round_trip + (prefill + queue + answer) * strain;
}

std::string describe(const worker_view& one) {
    std::string out = one.here ? std::string("this node") : one.name.empty() ? short_name(one.id) : one.name;
    out += fmt::format(" ({}, {} of {} slots busy", to_string(one.health.state), one.busy, one.slots);
    if (one.queued > 0) {
        out += fmt::format(", {} waiting", one.queued);
    }
    if (!one.here) {
        out += fmt::format(", {:.1f} ms away", std::chrono::duration<double, std::milli>(one.round_trip).count());
    }
    if (one.cached_tokens > 0) {
        out += fmt::format(", {} tokens of the prompt cached", one.cached_tokens);
    }
    return out + ")";
}

struct candidate {
    std::size_t index;
    double predicted_s;
};

}  // namespace

std::optional<worker_choice> choose_worker(std::span<const worker_view> workers, const demand& what, double draw) {
    const speeds usual = mean_of(workers);
    std::vector<candidate> fit;
    std::vector<candidate> overloaded;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (std::find(what.tried.begin(), what.tried.end(), workers[i].id) != what.tried.end()) {
            continue;
        }
        auto& among = workers[i].health.state == health_state::overloaded ? overloaded : fit;
        among.push_back({.index = i, .predicted_s = predict_s(workers[i], what, usual)});
    }
    auto& from = fit.empty() ? overloaded : fit;
    if (from.empty()) {
        return std::nullopt;
    }
    std::sort(from.begin(), from.end(), [&](const candidate& a, const candidate& b) {
        return a.predicted_s != b.predicted_s ? a.predicted_s < b.predicted_s
                                              : workers[a.index].id < workers[b.index].id;
    });
    const worker_view& best = workers[from.front().index];
    std::size_t chosen = 0;
    if (!best.here && best.cached_tokens == 0) {
        const auto worse = std::find_if(from.begin(), from.end(), [&](const candidate& one) {
            return one.predicted_s > from.front().predicted_s * nearly_as_good;
        });
        const auto good = static_cast<double>(worse - from.begin());
        chosen = std::min(static_cast<std::size_t>(draw * good), from.size() - 1);
    }
    const candidate& taken = from[chosen];
    worker_choice out{.index = taken.index, .predicted_s = taken.predicted_s, .reason = {}};
    out.reason = fmt::format("{}: {:.2f} s predicted", describe(workers[taken.index]), taken.predicted_s);
    if (from.size() > 1) {
        const candidate& next = from[chosen == 0 ? 1 : 0];
        out.reason += fmt::format("; {} would take {:.2f} s", describe(workers[next.index]), next.predicted_s);
    }
    if (fit.empty()) {
        out.reason += "; everyone is overloaded";
    }
    return out;
}

}  // namespace starling::route

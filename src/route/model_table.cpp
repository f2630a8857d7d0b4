#include "route/model_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace starling::route {

namespace {

constexpr std::size_t max_names_in_message = 8;  // a sentence, not a listing
constexpr std::size_t max_echoed_name = 128;     // a client's own words go back to it, but not a megabyte of them

error loading_error(std::string_view id, float progress) {
    return fail(engine::errc::loading,
                fmt::format("The model '{}' is still loading ({} %). Try again in a few seconds.", id,
                            static_cast<int>(std::floor(progress * 100.0F))));
}

error failed_error(std::string_view id, const error& why) {
    return fail(engine::errc::unavailable, fmt::format("The model '{}' could not be loaded: {}", id, why.message));
}

error waiting_error(std::string_view id, const error& why) {
    return error{why.code, fmt::format("The model '{}' cannot be served now: {}", id, why.message)};
}

}  // namespace

model_table::entry* model_table::find(std::string_view id) {
    const auto found = std::find_if(models_.begin(), models_.end(), [&](const entry& e) { return e.id == id; });
    return found == models_.end() ? nullptr : &*found;
}

void model_table::announce(std::string id, std::string source, model_state state) {
    auto* known = find(id);
    if (known == nullptr) {
        known = &models_.emplace_back();
        known->id = std::move(id);
    }
    known->source = std::move(source);
    known->state = state;
    known->progress = 0.0F;
    known->failure.reset();
    known->generator.reset();
}

void model_table::set_progress(std::string_view id, float fraction) {
    if (auto* known = find(id); known != nullptr && known->state == model_state::loading) {
        known->progress = std::clamp(fraction, 0.0F, 1.0F);
    }
}

void model_table::set_ready(std::string_view id, std::shared_ptr<engine::generator> generator, std::string content) {
    if (auto* known = find(id); known != nullptr) {
        known->state = model_state::ready;
        known->progress = 1.0F;
        known->failure.reset();
        known->generator = std::move(generator);
        known->content = std::move(content);
    }
}

void model_table::set_failed(std::string_view id, const error& why) {
    if (auto* known = find(id); known != nullptr) {
        known->state = model_state::failed;
        known->failure = why;
        known->generator.reset();
    }
}

void model_table::set_waiting(std::string_view id, error why) {
    if (auto* known = find(id); known != nullptr) {
        known->state = model_state::waiting;
        known->failure = std::move(why);
        known->generator.reset();
    }
}

void model_table::remove(std::string_view id) {
    std::erase_if(models_, [&](const entry& e) { return e.id == id; });
}

result<choice> model_table::choose(std::string_view model, steady_time now) {
    auto* known = find(model);
    if (known == nullptr && (model.empty() || model == automatic)) {
        return choose_any(now);
    }
    if (known == nullptr) {
        return fail(engine::errc::unknown_model, fmt::format("The model '{}' does not exist on this node. {}",
                                                             model.substr(0, max_echoed_name), known_names()));
    }
    if (known->state == model_state::loading || known->state == model_state::standby) {
        return loading_error(known->id, known->progress);
    }
    if (known->state == model_state::failed) {
        return failed_error(known->id, *known->failure);
    }
    if (known->state == model_state::waiting) {
        return waiting_error(known->id, *known->failure);
    }
    ++known->requests;
    known->rate.count(now);
    known->last_active = now;
    return choice{known->generator, known->id, "asked for by name"};
}

result<choice> model_table::choose_any(steady_time now) {
    const auto first = [&](model_state state) {
        return std::find_if(models_.begin(), models_.end(), [&](const entry& e) { return e.state == state; });
    };
    if (const auto ready = first(model_state::ready); ready != models_.end()) {
        auto chosen = choose(ready->id, now);
        chosen->reason = "the first model that is ready";
        return chosen;
    }
    if (const auto loading = first(model_state::loading); loading != models_.end()) {
        return loading_error(loading->id, loading->progress);
    }
    if (const auto waiting = first(model_state::waiting); waiting != models_.end()) {
        return waiting_error(waiting->id, *waiting->failure);
    }
    if (const auto standby = first(model_state::standby); standby != models_.end()) {
        return loading_error(standby->id, standby->progress);
    }
    if (!models_.empty()) {
        return failed_error(models_.front().id, *models_.front().failure);
    }
    return fail(engine::errc::unavailable,
                "This node serves no model. Start it with `starling serve`, with --model to name one.");
}

std::string model_table::known_names() const {
    if (models_.empty()) {
        return "It serves no model at all: start it with `starling serve`, with --model to name one.";
    }
    std::string names;
    for (std::size_t i = 0; i < std::min(models_.size(), max_names_in_message); ++i) {
        names += (i == 0 ? "'" : ", '") + models_[i].id + "'";
    }
    return fmt::format("It serves {}; GET /v1/models lists them.", names);
}

std::vector<model_status> model_table::snapshot(steady_time now) const {
    std::vector<model_status> all;
    all.reserve(models_.size());
    for (const auto& e : models_) {
        std::optional<double> idle_s;
        if (e.last_active) {
            idle_s = std::chrono::duration<double>(now - *e.last_active).count();
        }
        all.push_back(model_status{e.id, e.state, e.source, e.progress, e.failure ? e.failure->message : std::string(),
                                   e.requests, e.rate.per_minute(now), idle_s, e.generator, e.content});
    }
    return all;
}

}  // namespace starling::route

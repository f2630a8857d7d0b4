#include "deployment/stage_lease.hpp"

namespace starling::deployment {

std::optional<trouble> stage_lease::objection(const claim& by) const {
    if (left_) {
        return trouble{.kind = trouble_kind::leaving};
    }
    if (!held_) {
        return std::nullopt;
    }
    if (outranks(by, held_->by) && by.term - held_->by.term <= max_term_leap) {
        return std::nullopt;
    }
    if (!same_reign(by, held_->by)) {
        return trouble{trouble_kind::held, held_->by, connected()};
    }
    if (by.epoch <= held_->by.epoch) {
        return trouble{trouble_kind::superseded, held_->by, connected()};
    }
    return std::nullopt;
}

lease::actions stage_lease::open(stream_number stream, const claim& by, const assignment& what, time_point now) {
    lease::actions out = tick(now);
    if (const auto why = objection(by)) {
        out.emplace_back(lease::turn_away{stream, *why});
        return out;
    }
    if (connected()) {
        const auto kind = same_reign(by, held_->by) ? trouble_kind::superseded : trouble_kind::revoked;
        out.emplace_back(lease::turn_away{*held_->stream, {kind, by, true}});
    }
    take(stream, by, what, out);
    return out;
}

void stage_lease::take(stream_number stream, const claim& by, const assignment& what, lease::actions& out) {
    held_ = holding{.by = by, .stream = stream};
    if (resident_ && resident_->what == what) {
        out.emplace_back(lease::adopt{by});
        if (resident_->loaded) {
            out.emplace_back(lease::say_ready{stream, by});
        }
        return;
    }
    if (resident_) {
        out.emplace_back(lease::unload{});
    }
    resident_ = layers{.ticket = ++tickets_, .what = what};
    out.emplace_back(lease::load{tickets_, by, what});
}

lease::actions stage_lease::loaded(load_ticket ticket, time_point now) {
    lease::actions out = tick(now);
    if (!resident_ || resident_->ticket != ticket || resident_->loaded) {
        return out;
    }
    resident_->loaded = true;
    if (connected()) {
        out.emplace_back(lease::say_ready{*held_->stream, held_->by});
    }
    return out;
}

lease::actions stage_lease::load_failed(load_ticket ticket, trouble_kind why, time_point now) {
    lease::actions out = tick(now);
    if (!resident_ || resident_->ticket != ticket) {
        return out;
    }
    if (connected()) {
        out.emplace_back(lease::turn_away{*held_->stream, {.kind = why}});
    }
    drop(out);
    return out;
}

lease::actions stage_lease::stream_ended(stream_number stream, time_point now) {
    lease::actions out = tick(now);
    if (held_ && held_->stream == stream) {
        held_->stream.reset();
        held_->until = now + lease_time;
    }
    return out;
}

lease::actions stage_lease::evict(time_point now) {
    lease::actions out = tick(now);
    if (held_ && !connected()) {
        drop(out);
    }
    return out;
}

lease::actions stage_lease::leave(time_point now) {
    lease::actions out = tick(now);
    left_ = true;
    if (connected()) {
        out.emplace_back(lease::turn_away{*held_->stream, {.kind = trouble_kind::leaving}});
    }
    drop(out);
    return out;
}

lease::actions stage_lease::tick(time_point now) {
    lease::actions out;
    if (held_ && !connected() && now >= held_->until) {
        drop(out);
    }
    return out;
}

void stage_lease::drop(lease::actions& out) {
    held_.reset();
    if (resident_) {
        resident_.reset();
        out.emplace_back(lease::unload{});
    }
}

time_point stage_lease::next_tick() const {
    return held_ ? held_->until : time_point::max();
}

std::optional<claim> stage_lease::holder() const {
    return held_ ? std::optional(held_->by) : std::nullopt;
}

}  // namespace starling::deployment

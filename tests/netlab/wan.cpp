#include "netlab/wan.hpp"

#include "netlab/address.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace starling::netlab {

namespace {

frame_pointer copy_of(const frame& original) {
    auto out = std::make_unique_for_overwrite<frame>();
    out->size = original.size;
    std::memcpy(out->bytes.data(), original.bytes.data(), original.size);
    return out;
}

void set_value(way_settings& settings, verb what, double value) {
    const auto time = std::chrono::nanoseconds(static_cast<std::int64_t>(value * 1e6));
    const double share = value / 100;
    switch (what) {
        case verb::delay: settings.delay = time; return;
        case verb::jitter: settings.jitter = time; return;
        case verb::loss: settings.loss = share; return;
        case verb::duplicate: settings.duplicate = share; return;
        case verb::reorder: settings.reorder = share; return;
        default: return;
    }
}

}  // namespace

wan::wan(const wan_settings& settings)
    : counters_(settings.hosts), cut_(settings.hosts), lines_(settings.hosts, line(settings.rate_mbit)) {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;  // keeps the keys of near seeds apart
    for (std::uint64_t i = 0; i < settings.hosts * settings.hosts; ++i) {
        paths_.push_back({.between = way(settings.way, settings.seed * golden + i)});
    }
}

void wan::apply(const command& command) {
    switch (command.what) {
        case verb::stats: return;
        case verb::block: from_to(command.hosts.at(0), command.hosts.at(1)).blocked = true; return;
        case verb::cut:
        case verb::heal:
            if (command.hosts.size() == 1) {
                cut_.at(command.hosts[0]) = command.what == verb::cut;
            } else {
                block_both(command.hosts.at(0), command.hosts.at(1), command.what == verb::cut);
            }
            return;
        case verb::rate: change_lines(command); return;
        default: change_ways(command); return;
    }
}

void wan::block_both(host_index a, host_index b, bool blocked) {
    from_to(a, b).blocked = blocked;
    from_to(b, a).blocked = blocked;
}

void wan::change_ways(const command& command) {
    const auto change = [&](path& on) {
        way_settings settings = on.between.settings();
        set_value(settings, command.what, command.value);
        on.between.set(settings);
    };
    if (command.hosts.size() == 2) {
        change(from_to(command.hosts[0], command.hosts[1]));
        change(from_to(command.hosts[1], command.hosts[0]));
    } else {
        std::for_each(paths_.begin(), paths_.end(), change);
    }
}

void wan::change_lines(const command& command) {
    for (host_index host = 0; host < hosts(); ++host) {
        if (command.hosts.empty() || command.hosts.front() == host) {
            lines_[host].set_rate(command.value);
        }
    }
}

void wan::send(time_point now, host_index from, frame_pointer frame) {
    host_counters& counters = counters_.at(from);
    ++counters.frames;
    counters.bytes += frame->size;
    const recipient to = recipient_of(*frame, hosts());
    if (cut_[from]) {
        ++counters.dropped_cut;
        return;
    }
    if (!to.everyone && !to.host) {
        ++counters.dropped_unknown;
        return;
    }
    const auto sent = lines_[from].send(now, frame->size);
    if (!sent) {
        ++counters.dropped_queue;
        return;
    }
    if (to.host) {
        put_on_way(*sent, from, *to.host, std::move(frame));
        return;
    }
    for (host_index other = 0; other < hosts(); ++other) {
        if (other != from) {
            put_on_way(*sent, from, other, copy_of(*frame));
        }
    }
}

void wan::put_on_way(time_point sent, host_index from, host_index to, frame_pointer frame) {
    path& on = from_to(from, to);
    host_counters& counters = counters_[from];
    if (on.blocked || cut_[to]) {
        ++counters.dropped_cut;
        return;
    }
    const way::arrivals arrivals = on.between.pass(sent);
    if (arrivals.count == 0) {
        ++counters.dropped_loss;
    }
    if (arrivals.count == 2) {
        start(arrivals.at, from, to, copy_of(*frame));
    }
    if (arrivals.count > 0) {
        start(arrivals.at, from, to, std::move(frame));
    }
}

void wan::start(time_point at, host_index from, host_index to, frame_pointer frame) {
    path& on = from_to(from, to);
    if (on.frames >= way_frames_max) {
        ++counters_[from].dropped_queue;
        return;
    }
    ++on.frames;
    travelling_.push_back({.at = at, .number = number_++, .from = from, .to = to, .frame = std::move(frame)});
    std::push_heap(travelling_.begin(), travelling_.end(), later{});
}

std::optional<wan::delivery> wan::take_due(time_point now) {
    if (travelling_.empty() || travelling_.front().at > now) {
        return std::nullopt;
    }
    std::pop_heap(travelling_.begin(), travelling_.end(), later{});
    travelling soonest = std::move(travelling_.back());
    travelling_.pop_back();
    --from_to(soonest.from, soonest.to).frames;
    ++counters_[soonest.to].received_frames;
    counters_[soonest.to].received_bytes += soonest.frame->size;
    return delivery{.to = soonest.to, .frame = std::move(soonest.frame)};
}

std::optional<time_point> wan::next_due() const {
    return travelling_.empty() ? std::nullopt : std::optional(travelling_.front().at);
}

}  // namespace starling::netlab

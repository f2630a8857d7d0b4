// A network in virtual time: endpoints, datagrams between them that are late, lost, doubled and out of order, streams
// whose losses only cost time, and one timer for each endpoint. Nothing waits: an hour of a thousand nodes takes as
// long as its events take to compute. All chance comes from one seed. `Packet` is whatever the nodes say to each other.
#pragma once

#include "base/random.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

namespace starling::sim {

using endpoint = std::uint32_t;
using duration = std::chrono::steady_clock::duration;
using time_point = std::chrono::steady_clock::time_point;

struct weather {
    double loss = 0.0;  // of each datagram, each way
    double doubled = 0.0;
    duration least_latency = std::chrono::milliseconds(5);
    duration most_latency = std::chrono::milliseconds(50);
    double held_back = 0.0;  // share of datagrams that come much later than those sent after them
    duration held_back_most = std::chrono::seconds(2);
};

enum class carriage {
    datagram,
    stream,  // what is lost is sent again; only a closed way loses it
};

template <class Packet>
class virtual_network {
  public:
    using receive_handler = std::function<void(endpoint from, endpoint to, const Packet&)>;
    using wake_handler = std::function<void(endpoint)>;

    explicit virtual_network(std::uint64_t seed) : seed_(seed) {}

    void on_receive(receive_handler handler) { receive_ = std::move(handler); }
    void on_wake(wake_handler handler) { wake_ = std::move(handler); }
    void set_weather(const weather& w) { weather_ = w; }

    /// Which way is open at the moment that a packet arrives; all are when no filter is set.
    void set_filter(std::function<bool(endpoint from, endpoint to)> open) { open_ = std::move(open); }

    time_point now() const { return now_; }
    double fraction() { return uniform_draw(seed_, draws_++); }

    void send(endpoint from, endpoint to, Packet packet, carriage by) {
        if (by == carriage::stream) {
            duration delay{};
            while (fraction() < weather_.loss) {
                delay += resend_after;
            }
            enqueue(from, to, std::move(packet), delay + latency());
            return;
        }
        for (int copies = fraction() < weather_.doubled ? 2 : 1; copies > 0; --copies) {
            if (fraction() < weather_.loss) {
                continue;
            }
            const auto held = fraction() < weather_.held_back ? within(weather_.held_back_most) : duration{};
            enqueue(from, to, copies > 1 ? Packet(packet) : std::move(packet), held + latency());
        }
    }

    /// The endpoint's one timer; an earlier time replaces a later one and not the other way round.
    void wake_at(endpoint who, time_point at) {
        if (who >= timers_.size()) {
            timers_.resize(who + 1, time_point::max());
        }
        at = std::max(at, now_ + std::chrono::microseconds(1));  // no endpoint can stop the clock
        if (at < timers_[who]) {
            timers_[who] = at;
            events_.push({at, order_++, timer, who});
        }
    }

    void run_until(time_point end) {
        while (!events_.empty() && events_.top().at <= end) {
            const event e = events_.top();
            events_.pop();
            now_ = e.at;
            e.parcel == timer ? fire(e) : deliver(e);
        }
        now_ = end;
    }

    std::uint64_t delivered() const { return delivered_; }

  private:
    static constexpr std::uint32_t timer = ~std::uint32_t{0};
    static constexpr duration resend_after = std::chrono::milliseconds(200);  // a stream's retransmission

    struct parcel {
        endpoint from = 0;
        Packet packet;
    };
    struct event {
        time_point at;
        std::uint64_t order = 0;
        std::uint32_t parcel = timer;  // index of the packet, or a timer
        endpoint to = 0;

        bool operator<(const event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
    };

    duration within(duration most) {
        return duration(static_cast<duration::rep>(fraction() * static_cast<double>(most.count())));
    }

    duration latency() { return weather_.least_latency + within(weather_.most_latency - weather_.least_latency); }

    void enqueue(endpoint from, endpoint to, Packet packet, duration delay) {
        std::uint32_t index = 0;
        if (free_.empty()) {
            index = static_cast<std::uint32_t>(parcels_.size());
            parcels_.push_back({from, std::move(packet)});
        } else {
            index = free_.back();
            free_.pop_back();
            parcels_[index] = {from, std::move(packet)};
        }
        events_.push({now_ + delay, order_++, index, to});
    }

    void fire(const event& e) {
        if (timers_[e.to] == e.at) {
            timers_[e.to] = time_point::max();
            wake_(e.to);
        }
    }

    void deliver(const event& e) {
        const parcel p = std::move(parcels_[e.parcel]);
        free_.push_back(e.parcel);
        if (!open_ || open_(p.from, e.to)) {
            ++delivered_;
            receive_(p.from, e.to, p.packet);
        }
    }

    std::uint64_t seed_;
    std::uint64_t draws_ = 0;
    std::uint64_t order_ = 0;
    std::uint64_t delivered_ = 0;
    time_point now_{};
    weather weather_;
    receive_handler receive_;
    wake_handler wake_;
    std::function<bool(endpoint, endpoint)> open_;
    std::priority_queue<event> events_;
    std::vector<parcel> parcels_;
    std::vector<std::uint32_t> free_;
    std::vector<time_point> timers_;  // by endpoint; events of other times are out of date
};

}  // namespace starling::sim

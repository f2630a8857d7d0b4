#include "netlab/driver.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>

namespace starling::netlab {

namespace {

// Frames of one host in a row, so that one that sends without end delays the others by about 0.2 ms at most.
constexpr int burst_frames = 64;

// The kernel may be late by a thousandth of what a thread waits for: with this, by 0.1 ms.
constexpr duration wait_max = std::chrono::milliseconds(100);

// Tags of what is watched; smaller ones are hosts.
constexpr std::uint64_t control_tag = hosts_max;
constexpr std::uint64_t command_tag = hosts_max + 1;
constexpr std::uint64_t signal_tag = hosts_max + 2;

time_point clock_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

driver::driver(wan& network, const host_set& hosts, control_server& control, child& command, int signals)
    : network_(network),
      hosts_(hosts),
      control_(control),
      command_(command),
      signals_(signals),
      events_(checked(::epoll_create1(EPOLL_CLOEXEC), "cannot wait for events")) {
    for (host_index host = 0; host < hosts_.count(); ++host) {
        watch(hosts_.tap(host), host);
    }
    watch(control_.fd(), control_tag);
    watch(command_.ended_fd(), command_tag);
    watch(signals_, signal_tag);
}

void driver::watch(int fd, std::uint64_t tag) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    checked(::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event), "cannot wait for events");
}

int driver::run() {
    while (!ended_) {
        deliver(clock_now());
        wait();
    }
    return command_.wait();
}

void driver::deliver(time_point now) {
    while (auto due = network_.take_due(now)) {
        // A device that is down or gone refuses its frames: lost, as on a real one.
        [[maybe_unused]] const auto ignored = ::write(hosts_.tap(due->to), due->frame->bytes.data(), due->frame->size);
    }
    if (kill_at_ && now >= *kill_at_) {
        command_.signal(SIGKILL);
        kill_at_.reset();
    }
}

duration driver::until_next(time_point now) const {
    duration out = wait_max;
    for (const auto& at : {network_.next_due(), kill_at_}) {
        out = at ? std::min(out, *at - now) : out;
    }
    return std::max(out, duration::zero());
}

void driver::wait() {
    const timespec timeout{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(until_next(clock_now())).count()};
    std::array<epoll_event, 64> ready{};
    const int count = ::epoll_pwait2(events_.get(), ready.data(), static_cast<int>(ready.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        handle(ready[static_cast<std::size_t>(i)].data.u64);
    }
}

void driver::handle(std::uint64_t tag) {
    switch (tag) {
        case control_tag: control_.serve(); return;
        case command_tag: ended_ = true; return;
        case signal_tag: pass_signal_on(); return;
        default: read_frames(tag); return;
    }
}

void driver::read_frames(host_index from) {
    const time_point now = clock_now();
    for (int i = 0; i < burst_frames; ++i) {
        if (!spare_) {
            spare_ = std::make_unique_for_overwrite<frame>();
        }
        const ssize_t got = ::read(hosts_.tap(from), spare_->bytes.data(), frame::capacity);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                // The host has removed its device: it is silent from now on.
                ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, hosts_.tap(from), nullptr);
            }
            return;
        }
        spare_->size = static_cast<std::size_t>(got);
        network_.send(now, from, std::move(spare_));
    }
}

void driver::pass_signal_on() {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
        return;
    }
    if (info.ssi_code != SI_KERNEL) {  // Ctrl-C has reached the command already
        command_.signal(static_cast<int>(info.ssi_signo));
    }
    kill_at_ = kill_at_.value_or(clock_now() + stop_grace);
}

}  // namespace starling::netlab

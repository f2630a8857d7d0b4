// Moves frames between the hosts' devices as the emulated network decides, until the command has ended. One thread.
#pragma once

#include "netlab/child.hpp"
#include "netlab/control_server.hpp"
#include "netlab/hosts.hpp"
#include "netlab/wan.hpp"

#include <optional>

namespace starling::netlab {

/// After a signal, the command has so long to end by itself, with the network still there.
constexpr duration stop_grace = std::chrono::seconds(5);

class driver {
  public:
    /// `signals` is a signalfd: each signal is passed on to the command, and asks for the end.
    driver(wan& network, const host_set& hosts, control_server& control, child& command, int signals);

    /// The command's exit status.
    int run();

  private:
    void watch(int fd, std::uint64_t tag);
    void deliver(time_point now);
    void wait();
    void handle(std::uint64_t tag);
    void read_frames(host_index from);
    void pass_signal_on();
    duration until_next(time_point now) const;

    wan& network_;
    const host_set& hosts_;
    control_server& control_;
    child& command_;
    int signals_;
    file_descriptor events_;
    frame_pointer spare_;
    bool ended_ = false;
    std::optional<time_point> kill_at_;
};

}  // namespace starling::netlab

// The hosts as the kernel sees them: a network namespace each, with a TAP device whose other end netlab holds. Needs
// CAP_NET_ADMIN and CAP_SYS_ADMIN, and iproute2.
#pragma once

#include "netlab/file_descriptor.hpp"
#include "netlab/types.hpp"

#include <string>
#include <vector>

namespace starling::netlab {

/// Why hosts cannot be made here, in one sentence; empty when they can.
std::string why_no_hosts();

/// The sole right to the names that begin with a prefix, and the folder /run/netlab-PREFIX as the sign of it. Whoever
/// gets a prefix removes what an earlier run left that was killed.
class prefix_claim {
  public:
    /// Throws when another netlab that runs has it.
    explicit prefix_claim(std::string prefix);
    ~prefix_claim();
    prefix_claim(const prefix_claim&) = delete;
    prefix_claim& operator=(const prefix_claim&) = delete;

    const std::string& prefix() const { return prefix_; }
    std::string control_path() const { return folder_ + "/control"; }

  private:
    bool lock();

    std::string prefix_;
    std::string folder_;
    file_descriptor lock_;
};

/// Made by the constructor, removed by the destructor together with every process that is still in one of them: a host
/// that is gone runs nothing.
class host_set {
  public:
    host_set(const prefix_claim& claim, host_index count);
    ~host_set();
    host_set(const host_set&) = delete;
    host_set& operator=(const host_set&) = delete;

    host_index count() const { return taps_.size(); }

    /// Nonblocking; one read or write is one frame.
    int tap(host_index host) const { return taps_[host].get(); }

  private:
    std::string prefix_;
    std::vector<file_descriptor> taps_;
};

}  // namespace starling::netlab

// QUIC's packets over one UDP socket: read in batches (recvmmsg), sent in bursts that the kernel cuts (UDP_SEGMENT)
// where it can.
#pragma once

#include "base/result.hpp"
#include "quic/carrier.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace starling::quic {

/// Binds at once. An IPv6 wildcard takes IPv4 as well. Error: transport::errc::cannot_listen.
result<std::shared_ptr<carrier>> make_udp_carrier(boost::asio::any_io_executor executor, const address& bind);

}  // namespace starling::quic

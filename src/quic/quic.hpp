// Peers over QUIC version 1 (RFC 9000, 9001, 9221): one UDP socket for both roles, TLS 1.3 with both sides' Ed25519
// keys proven. Implements transport::endpoint on ngtcp2 and GnuTLS.
//
// Guards: a Retry packet for every newcomer while many connections are half open (RFC 9000, 8.1); version negotiation;
// stateless resets, sent at a limited rate and understood; bounded streams, windows and queues. Packets without QUIC's
// fixed bit are ignored here: that is the room for relays and hole punching beneath.
#pragma once

#include "keys/keys.hpp"
#include "quic/carrier.hpp"
#include "transport/transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace starling::quic {

struct options {
    /// False: this endpoint only connects; whoever comes by itself is not answered.
    bool takes_newcomers = true;
    /// Half-open connections above which a newcomer has to prove its address first.
    std::size_t retry_above = 32;
    /// Half-open connections above which a newcomer is not answered.
    std::size_t half_open_limit = 512;
};

/// An endpoint of its own on `packets`. Error: transport::errc::internal, when the TLS library refuses the key.
result<std::unique_ptr<transport::endpoint>> create(boost::asio::any_io_executor executor,
                                                    std::shared_ptr<carrier> packets, const keys::key_pair& self,
                                                    options how);

/// The same on a UDP socket. Errors: transport::errc::cannot_listen, internal.
result<std::unique_ptr<transport::endpoint>> listen(boost::asio::any_io_executor executor, const address& bind,
                                                    const keys::key_pair& self, options how = {});

/// Of the libraries that this process runs with: "1.11.0", "3.7.9".
struct library_versions {
    std::string ngtcp2;
    std::string gnutls;
};
library_versions versions();

}  // namespace starling::quic

// What ngtcp2 calls, and the settings it is given.
#pragma once

#include "quic/connection.hpp"

#include <ngtcp2/ngtcp2.h>

namespace starling::quic {

inline constexpr std::size_t connection_id_bytes = 16;
inline constexpr std::chrono::seconds idle_timeout{10};           // a connection that is silent for so long is over
inline constexpr std::chrono::milliseconds keep_alive{1'000};     // between signs of life
inline constexpr std::chrono::milliseconds keep_alive_busy{200};  // while a stream is open and somebody waits
inline constexpr std::uint64_t max_open_streams = 1'024;          // that the other side may have open at a time

const ngtcp2_callbacks& all_callbacks();
ngtcp2_settings settings_at(ngtcp2_tstamp now);
ngtcp2_transport_params parameters();

/// The clock that ngtcp2 is run by: nanoseconds of the steady clock.
ngtcp2_tstamp tstamp(transport::steady_time time);
ngtcp2_tstamp tstamp_now();

void random_bytes(std::span<std::uint8_t> out);
ngtcp2_cid random_id();

}  // namespace starling::quic

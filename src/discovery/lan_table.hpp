// When a node says that it is there, and which beacons of others are news. Pure: (state, event, now) → actions; the
// driver is discovery.hpp.
//
// A beacon goes out three times quickly at the start, saying that answers are wanted, and then every five seconds.
// Whoever hears such a wish answers once, soon, however many wish: a newcomer knows everyone within a second, and ten
// newcomers make no flood. A node is reported once in `report_interval` for each address it is heard from, or at once
// when it has changed. Signatures are checked only where something would follow, and at a bounded rate.
#pragma once

#include "base/random.hpp"
#include "discovery/beacon.hpp"
#include "transport/transport.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace starling::discovery {

using transport::address;
using transport::steady_time;
using duration = std::chrono::steady_clock::duration;

inline constexpr int burst_beacons = 3;  // two may be lost
inline constexpr duration burst_gap = std::chrono::milliseconds(250);
inline constexpr duration beacon_interval = std::chrono::seconds(5);       // 45 B/s for each node
inline constexpr duration interval_jitter = std::chrono::seconds(1);       // so that nodes do not fall into step
inline constexpr duration answer_gap = std::chrono::milliseconds(500);     // between a beacon and an answer after it
inline constexpr duration answer_jitter = std::chrono::milliseconds(200);  // the others answer too
inline constexpr duration report_interval = std::chrono::seconds(15);      // of one node at one address
inline constexpr double verifications_per_second = 200;                    // about 4 % of a core
inline constexpr std::size_t max_places = 512;            // of all nodes; those beyond push out the oldest
inline constexpr std::size_t max_places_of_one_node = 4;  // two interfaces, two families

/// What this node says about itself.
struct announcement {
    beacon_kind kind = beacon_kind::seeking;
    mesh_tag mesh{};  // of a member
    std::uint16_t port = 0;
    std::string name;
};

/// A node that was heard. That its key is there is known when a connection to `where` has proven it.
struct sighting {
    node_id node;
    address where;  // of its QUIC endpoint
    std::string name;
    beacon_kind kind = beacon_kind::seeking;
    mesh_tag mesh{};  // zero while seeking
};

struct moment {
    steady_time steady;
    unix_time_s unix_s = 0;
};

class lan_table {
  public:
    lan_table(const node_id& self, announcement what, steady_time now, std::uint64_t seed)
        : self_(self), what_(std::move(what)), next_(now), refilled_(now), seed_(seed) {}

    /// Says something else from now on, and says so at once.
    void announce(announcement what, steady_time now);

    /// As at the start: when a network was joined.
    void start_again(steady_time now);

    const announcement& announced() const { return what_; }

    /// When take_due() is to be called.
    steady_time next_due() const { return next_; }

    /// The beacon to send now; sets the time of the next one.
    beacon take_due(moment now);

    /// Would anything follow if this beacon were genuine? A member hears the members of its mesh and those who seek;
    /// who seeks hears members. Takes one from what may be verified in this second.
    bool worth_verifying(const beacon& heard, const address& from, moment now);

    /// A beacon that is_signed(). What to report, if anything.
    std::optional<sighting> take(const beacon& heard, const address& from, steady_time now);

    std::size_t size() const { return places_.size(); }

  private:
    struct place {
        steady_time reported;
        beacon_kind kind = beacon_kind::seeking;
        mesh_tag mesh{};
        std::string name;
    };
    using key = std::pair<node_id, address>;
    using places = std::map<key, place>;

    bool concerns_us(const beacon& heard) const;
    bool is_news(const beacon& heard, const address& where, steady_time now) const;
    bool would_answer(const beacon& heard, steady_time now) const;
    steady_time soonest_answer(steady_time now) const;
    void make_room(const node_id& node);
    double draw() { return uniform_draw(seed_, drawn_++); }

    node_id self_;
    announcement what_;
    places places_;
    int burst_left_ = burst_beacons;
    steady_time next_;
    std::optional<steady_time> last_;
    double allowance_ = verifications_per_second;
    steady_time refilled_;
    std::uint64_t seed_;
    std::uint64_t drawn_ = 0;
};

}  // namespace starling::discovery

// The emulated wide-area network: which frame reaches whom, and when. Frames go in when a host sends them and come out
// when they are due. Pure: no clock, no device and no randomness but the seed. Not synchronised.
//
//   host 1 ─ line (rate) ─┐             ┌─ host 2
//                         ├─ way 1→2 ───┤
//                         └─ way 1→3 ─ …      a way: cut? lost? queue full? then delay, jitter, duplicates
#pragma once

#include "netlab/types.hpp"
#include "netlab/way.hpp"

#include <optional>
#include <vector>

namespace starling::netlab {

/// What one way holds at once, 24 MB: enough for 2 Gbit/s over 100 ms. What comes on top is dropped.
constexpr std::size_t way_frames_max = 16'384;

struct wan_settings {
    host_index hosts = 2;
    way_settings way;
    double rate_mbit = 0;  // of each host's line; 0 is without limit
    std::uint64_t seed = 1;
};

class wan {
  public:
    explicit wan(const wan_settings& settings);

    /// For frames sent from now on; `stats` changes nothing. The hosts of a command are below hosts().
    void apply(const command& command);

    void send(time_point now, host_index from, frame_pointer frame);

    struct delivery {
        host_index to = 0;
        frame_pointer frame;
    };
    /// The next frame that is due; those due at the same time in the order in which they were sent.
    std::optional<delivery> take_due(time_point now);
    std::optional<time_point> next_due() const;

    host_index hosts() const { return counters_.size(); }
    const std::vector<host_counters>& counters() const { return counters_; }

  private:
    struct path {
        way between;
        bool blocked = false;
        std::size_t frames = 0;  // on the way now
    };
    struct travelling {
        time_point at;
        std::uint64_t number = 0;
        host_index from = 0;
        host_index to = 0;
        frame_pointer frame;
    };
    struct later {
        bool operator()(const travelling& a, const travelling& b) const {
            return a.at != b.at ? a.at > b.at : a.number > b.number;
        }
    };

    path& from_to(host_index from, host_index to) { return paths_[from * hosts() + to]; }
    void put_on_way(time_point sent, host_index from, host_index to, frame_pointer frame);
    void start(time_point at, host_index from, host_index to, frame_pointer frame);
    void block_both(host_index a, host_index b, bool blocked);
    void change_ways(const command& command);
    void change_lines(const command& command);

    std::vector<host_counters> counters_;
    std::vector<bool> cut_;
    std::vector<line> lines_;
    std::vector<path> paths_;             // hosts × hosts
    std::vector<travelling> travelling_;  // a heap, the soonest on top
    std::uint64_t number_ = 0;
};

}  // namespace starling::netlab

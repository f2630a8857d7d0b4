// Whom a node that is in no mesh asks next to be let in, among those that it hears on the local network. Pure.
//
// One is asked at a time, whoever has waited longest. A member that cannot be reached or takes no requests is tried
// again later. When a person at a member has said no, nobody of that mesh is asked again: a no is not to be worn down
// by asking at the next machine. When the person here has said no, that node alone is left out, since anybody can
// announce a mesh that is not its own; the members that were meant may be among the others.
//
// Owner: newcomer.
#pragma once

#include "discovery/lan_table.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace starling::node {

using transport::steady_time;

/// A member makes three codes a minute for one node (peers::max_codes_of_one_node).
inline constexpr std::chrono::seconds ask_again_after{30};
inline constexpr std::size_t max_heard_members = 64;  // strangers can make up any number
inline constexpr std::size_t max_member_places = 4;   // two interfaces, two families
inline constexpr std::size_t max_refusals = 1'024;    // remembered of each kind

class asking_table {
  public:
    struct candidate {
        node_id node;
        discovery::mesh_tag mesh{};
        std::vector<transport::address> places;  // the last heard first
    };

    /// Those who seek themselves are not looked at.
    void heard(const discovery::sighting& one, steady_time now);

    /// The next to ask, which is not given again within ask_again_after.
    std::optional<candidate> take(steady_time now);

    /// When take() may give somebody; max() when nobody is known.
    steady_time next_due() const;

    void refused_by(const discovery::mesh_tag& mesh);  // a person of that mesh said no
    void declined(const node_id& node);                // the person here said no

    /// Counts from now on until the next time: what took longer than that is not asked again at once.
    void put_off(const node_id& node, steady_time now);

    std::size_t size() const { return known_.size(); }

  private:
    struct entry {
        candidate who;
        steady_time due;
        steady_time heard;
    };

    bool is_out(const node_id& node, const discovery::mesh_tag& mesh) const;

    std::unordered_map<node_id, entry> known_;
    std::set<discovery::mesh_tag> refused_;
    std::unordered_set<node_id> declined_;
};

}  // namespace starling::node

// Two nodes that connect to each other at the same moment end up with two connections. Both sides decide alike, without
// a word, which one stays. Pure.
#pragma once

#include "base/node_id.hpp"

namespace starling::peers {

enum class keep { existing, newer };

/// `existing_by`, `newer_by`: who made each connection, one of the two nodes. Where they differ, that of the lower id
/// stays. A second one by the same node replaces the first: that node has lost it, perhaps in a restart.
constexpr keep which_to_keep(const node_id& one, const node_id& other, const node_id& existing_by,
                             const node_id& newer_by) {
    if (existing_by == newer_by) {
        return keep::newer;
    }
    return existing_by == (one < other ? one : other) ? keep::existing : keep::newer;
}

}  // namespace starling::peers

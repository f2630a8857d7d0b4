// What a plan of a split is made from: the members as they tell of themselves, this node, and the links between them.
#pragma once

#include "node/split_parts.hpp"
#include "plan/types.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace starling::node {

/// What a stage of the plan in force takes on a node: it is given back when the plan changes.
using taken_bytes = std::map<node_id, std::uint64_t>;

struct plan_inputs {
    std::vector<plan::machine> machines;  // those that have the model's file; this node among them
    plan::network links;
    std::vector<std::string> without_file;  // names of members that lend memory, and have no such file
    std::uint64_t version = 0;              // another one when a plan may come out differently
};

/// `own` says what this node lends. Only this node may coordinate.
plan_inputs gather_plan_inputs(const split_parts& in, const peers::node_offer& own, const std::string& content,
                               const taken_bytes& taken);

/// " kitchen takes no part: it has no file of this model." Empty where all have it.
std::string left_out_text(const plan_inputs& of);

}  // namespace starling::node

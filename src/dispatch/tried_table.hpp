// Whom one request may not ask (again). Nobody is asked twice in a round; a new round begins when something changed or
// a while has passed. Whoever broke down under the request, or cannot carry it out at all, is not asked in later rounds
// either, unless it was away and came back: then its generator is a new object. Pure.
#pragma once

#include "base/node_id.hpp"
#include "engine/engine.hpp"

#include <memory>
#include <vector>

namespace starling::dispatch {

class tried_table {
  public:
    void next_round() { asked_.clear(); }

    void asked(const node_id& node) { asked_.push_back(node); }
    void gave_up_on(const node_id& node, const std::shared_ptr<engine::generator>& generator);

    bool excludes(const node_id& node, const std::shared_ptr<engine::generator>& generator) const;

  private:
    struct entry {
        node_id node;
        std::weak_ptr<engine::generator> generator;  // its address is not used again as long as we hold this
    };
    std::vector<node_id> asked_;  // this round
    std::vector<entry> given_up_;
};

}  // namespace starling::dispatch

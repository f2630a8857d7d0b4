// What GET /api/about tells: where this node listens, whom it contacts and why, and what it is made of. Pure but for
// what is asked of the system. Network executor.
#pragma once

#include "api/about.hpp"
#include "route/model_table.hpp"
#include "settings/config.hpp"

#include <cstdint>
#include <vector>

namespace starling::node {

class mesh;

struct about_parts {
    const settings::config* settings = nullptr;
    const mesh* members = nullptr;  // null: in no mesh
    std::uint16_t api_port = 0;
    std::int64_t started_unix_s = 0;
    std::vector<route::model_status> models;  // of this node
};

api::about_facts about_node(const about_parts& of);

}  // namespace starling::node

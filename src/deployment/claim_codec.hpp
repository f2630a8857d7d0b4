// What a coordinator tells of a model, as JSON inside its node's status, and back. Pure, fuzzed.
//
// {"model":KEY,"term":7,"coordinator":ID,"epoch":2,"state":"serving",
//  "stages":[{"node":ID,"first":0,"end":12},…],
//  "want":{"model":"name","stages":0,"context":4096,"slots":4},"reason":"…"}
//
// KEY is the content hash of the file, 64 lowercase hex characters. Terms are whole numbers up to 2^64 - 1: whoever
// reads them with double precision finds claims equal that are not.
#pragma once

#include "base/result.hpp"
#include "deployment/types.hpp"

#include <boost/json/fwd.hpp>

#include <string>

namespace starling::deployment {

inline constexpr std::size_t key_characters = 64;

struct told_claim {
    std::string model;  // the key
    announcement what;

    bool operator==(const told_claim&) const = default;
};

boost::json::object to_json(const told_claim& from);

/// Bounded by limits.hpp: too long texts are cut, unknown fields ignored. Errors: wire::errc::malformed (also for more
/// than max_stages, and for layers that no model has), wire::errc::unsupported (a state that is not known here).
result<told_claim> parse_claim(const boost::json::value& from);

}  // namespace starling::deployment

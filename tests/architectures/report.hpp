// The outcomes as the two files of the documentation.
#pragma once

#include "measure.hpp"

#include <string>
#include <vector>

namespace starling::architectures {

/// docs/architectures.json: one record on each line, by architecture and kind.
std::string as_json(const std::vector<outcome>& outcomes);

/// docs/architectures.md.
std::string as_table(const std::vector<outcome>& outcomes);

}  // namespace starling::architectures

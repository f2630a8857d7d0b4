// starling models slice: some layers of a model as a file of their own.
#pragma once

#include "verbs.hpp"

namespace starling::cli {

void add_model_slice(CLI::App& models, action& run);

}  // namespace starling::cli

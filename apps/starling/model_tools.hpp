// What the verbs of `starling models` work with.
#pragma once

#include "background.hpp"
#include "base/result.hpp"
#include "command_line.hpp"
#include "models/models.hpp"

#include <memory>

namespace starling::cli {

struct model_tools {
    std::unique_ptr<background> work;
    std::unique_ptr<models::model_store> store;
};

result<model_tools> open_tools(const given_settings& given);

}  // namespace starling::cli

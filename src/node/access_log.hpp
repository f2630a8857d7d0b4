// One log line for each request.
#pragma once

#include "api/api.hpp"

#include <memory>

namespace spdlog {
class logger;
}

namespace starling::node {

api::access_sink access_log(std::shared_ptr<spdlog::logger> log);

}  // namespace starling::node

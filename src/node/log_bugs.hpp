// What tasks do with an exception that nobody expected: it is a bug, and the node goes on.
#pragma once

#include "aio/task_scope.hpp"

#include <spdlog/logger.h>

#include <exception>
#include <memory>
#include <utility>

namespace starling::node {

/// `whose`: what the tasks are about, for the log. Outlives the sink.
inline aio::task_scope::failure_sink log_bugs(std::shared_ptr<spdlog::logger> log, const char* whose) {
    return [log = std::move(log), whose](const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& bug) {
            log->error("{}: {}", whose, bug.what());
        }
    };
}

}  // namespace starling::node

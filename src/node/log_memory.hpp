// A log sink that keeps the last lines, for the console. Any thread.
#pragma once

#include "api/log_view.hpp"

#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <deque>
#include <mutex>

namespace starling::node {

class log_memory final : public spdlog::sinks::base_sink<std::mutex>, public api::log_view {
  public:
    static constexpr std::size_t max_lines = 2'000;
    static constexpr std::size_t max_line_bytes = 2'048;  // the rest of a longer one is not kept

    std::vector<api::log_line> lines_from(std::uint64_t first) override;

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}

  private:
    std::deque<api::log_line> lines_;  // under base_sink's mutex
    std::uint64_t next_seq_ = 0;
};

}  // namespace starling::node

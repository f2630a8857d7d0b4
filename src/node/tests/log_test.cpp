#include "node/log.hpp"
#include "node/machine_sampler.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <boost/json.hpp>

#include <sstream>

namespace starling::node {
namespace {

TEST(log, json_lines_are_json_whatever_is_said) {
    std::ostringstream out;
    const auto log = make_logger(std::make_shared<spdlog::sinks::ostream_sink_mt>(out), settings::log_format::json,
                                 settings::log_level::info);
    log->info("quotes \" and \\ and \n and \x01 and \xC3\xA9 and \xFF\xED\xA0\x80 end");
    log->debug("not written");
    std::istringstream in(out.str());
    std::string line;
    ASSERT_TRUE(std::getline(in, line));
    const auto parsed = boost::json::parse(line);
    EXPECT_EQ(parsed.at("level"), "info");
    const std::string message = parsed.at("message").as_string().c_str();
    EXPECT_NE(message.find("quotes \" and \\ and \n and \x01 and \xC3\xA9 and \xEF\xBF\xBD"), std::string::npos);
    EXPECT_TRUE(message.ends_with(" end"));
    EXPECT_FALSE(std::getline(in, line));
}

TEST(machine_sampler, reads_what_linux_writes) {
    const auto ticks = parse_cpu("cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 1 2 3\n");
    ASSERT_TRUE(ticks);
    EXPECT_EQ(ticks->total, 531U);
    EXPECT_EQ(ticks->busy, 81U);
    EXPECT_FALSE(parse_cpu("cpu  1 2\n"));
    EXPECT_FALSE(parse_cpu(""));
}

TEST(machine_sampler, gives_percentages) {
    machine_sampler sampler;
    const auto now = std::chrono::steady_clock::now();
    for (int second = 0; second < 3; ++second) {
        const auto load = sampler.sample(now + std::chrono::seconds(second));
        EXPECT_GE(load.cpu_percent, 0.0);
        EXPECT_LE(load.cpu_percent, 100.0);
        EXPECT_GT(load.memory_percent, 0.0);
        EXPECT_LE(load.memory_percent, 100.0);
    }
}

}  // namespace
}  // namespace starling::node

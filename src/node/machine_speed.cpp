#include "node/machine_speed.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <thread>
#include <vector>

namespace starling::node {

namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 20;  // more than caches hold
// A busy machine measures less than it has: equal machines are to say the same, so finer differences are not told.
constexpr double step = 1.5;
constexpr int passes = 3;  // the best counts: others use the machine, too

double read_speed_of_one() {
    const std::vector<std::uint64_t> block(block_bytes / sizeof(std::uint64_t), 1);
    double best = 0.0;
    volatile std::uint64_t seen = 0;  // so that the sums are computed
    for (int pass = 0; pass < passes; ++pass) {
        const auto began = std::chrono::steady_clock::now();
        seen = seen + std::accumulate(block.begin(), block.end(), std::uint64_t{0});
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        best = std::max(best, static_cast<double>(block_bytes) / std::max(took.count(), 1e-6));
    }
    return best;
}

}  // namespace

double measure_read_speed(std::int32_t threads) {
    const auto count = static_cast<std::size_t>(
        threads > 0 ? threads : static_cast<std::int32_t>(std::max(1U, std::thread::hardware_concurrency())));
    std::vector<double> speeds(count, 0.0);
    std::vector<std::thread> running;
    running.reserve(count);
    for (double& speed : speeds) {
        running.emplace_back([&speed] { speed = read_speed_of_one(); });
    }
    for (std::thread& one : running) {
        one.join();
    }
    const double all = std::accumulate(speeds.begin(), speeds.end(), 0.0);
    return std::pow(step, std::round(std::log(all) / std::log(step)));
}

}  // namespace starling::node

#include "dispatch/core.hpp"
#include "dispatch/dispatch.hpp"
#include "dispatch/front.hpp"

#include <utility>

namespace starling::dispatch {

dispatcher::dispatcher(boost::asio::any_io_executor network, directory& workers, options how, std::uint64_t seed,
                       std::function<void(const decision&)> log)
    : core_(std::make_shared<core>(std::move(network), workers, how, seed, std::move(log))) {}

std::shared_ptr<engine::generator> dispatcher::generator(std::string model, engine::model_info info) {
    return std::make_shared<front>(core_, std::move(model), std::move(info));
}

const std::deque<decision>& dispatcher::recent() const {
    return core_->recent;
}

counters dispatcher::count() const {
    return core_->count;
}

}  // namespace starling::dispatch

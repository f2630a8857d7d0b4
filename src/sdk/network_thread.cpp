#include "sdk/network_thread.hpp"

#include <utility>

namespace starling::sdk {

network_thread::network_thread(std::unique_ptr<fetch::client> http)
    : work_(io_.get_executor()), http_(std::move(http)), thread_([this] { io_.run(); }) {}

network_thread::~network_thread() {
    work_.reset();
    io_.stop();
    thread_.join();
}

starling::result<std::unique_ptr<network_thread>> network_thread::create() {
    auto http = fetch::client::create();
    if (!http) {
        return http.error();
    }
    return std::unique_ptr<network_thread>(new network_thread(std::move(*http)));
}

}  // namespace starling::sdk

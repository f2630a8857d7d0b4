#include "background.hpp"

#include <utility>

namespace starling::cli {

background::background(std::unique_ptr<fetch::client> http)
    : work_(io_.get_executor()), http_(std::move(http)), thread_([this] { io_.run(); }) {}

background::~background() {
    work_.reset();
    io_.stop();
    thread_.join();
}

result<std::unique_ptr<background>> background::create() {
    auto http = fetch::client::create();
    if (!http) {
        return http.error();
    }
    return std::unique_ptr<background>(new background(std::move(*http)));
}

}  // namespace starling::cli

#include "sdk/caller.hpp"

namespace starling::sdk {

namespace asio = boost::asio;

caller::caller(asio::any_io_executor network, std::stop_token stop)
    : network_(std::move(network)),
      shared_(std::make_shared<shared>()),
      on_stop_(std::move(stop), [network = network_, shared = shared_] {
          asio::post(network, [shared] {
              shared->stopped = true;
              if (shared->running) {
                  shared->cancel.emit(asio::cancellation_type::terminal);
              }
          });
      }) {}

void caller::run(const std::function<void()>& what) {
    auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    asio::post(network_, [&what, done] {
        what();
        done->set_value();
    });
    finished.get();
}

starling::error caller::stopped_error() {
    return fail(fetch::errc::cancelled, "The answer was stopped.");
}

starling::error caller::error_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        return fail(engine::errc::internal, std::string("Something went wrong inside the client: ") + e.what());
    } catch (...) {
        return fail(engine::errc::internal, "Something went wrong inside the client.");
    }
}

}  // namespace starling::sdk

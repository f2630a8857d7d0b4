// Where engines end. Whoever lets go of an engine last would wait for its thread and for its memory to be given back;
// that may be an answer on the network thread, so it happens on a thread of its own.
//
// Owner: model_loader. Any thread.
#pragma once

#include "engine/engine.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace starling::node {

class engine_exit {
  public:
    engine_exit();
    ~engine_exit();
    engine_exit(const engine_exit&) = delete;
    engine_exit& operator=(const engine_exit&) = delete;

    /// The same engine; it ends there when nobody holds it any more, be it after this object has gone.
    std::shared_ptr<engine::generator> guard(std::shared_ptr<engine::generator> engine) const;

    /// One thread: what is posted here runs after the engines that were let go before.
    boost::asio::any_io_executor executor() const;

    /// Waits for all that was posted. Engines that are let go later end on the thread that does so.
    void close();

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace starling::node

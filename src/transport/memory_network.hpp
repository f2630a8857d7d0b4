// Endpoints that reach each other inside this process: for tests of what stands on transport, without sockets and
// without keys (whoever is added with an id has it). Streams and datagrams arrive at once, in order, until a line is
// cut. One executor thread.
#pragma once

#include "transport/transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace starling::transport {

class memory_network {
  public:
    explicit memory_network(boost::asio::any_io_executor executor);
    memory_network(const memory_network&) = delete;
    memory_network& operator=(const memory_network&) = delete;
    ~memory_network();

    /// Its address is made up; endpoint::local() says it. The network outlives its endpoints.
    std::unique_ptr<endpoint> add(const node_id& who);

    /// Nothing that is sent from now on arrives between the two, in either direction, and nobody is told.
    void cut(const address& a, const address& b);

    /// What is sent from now on arrives again. What was lost on a stream stays lost: such a stream is of no more use.
    void heal(const address& a, const address& b);

    struct state;

  private:
    std::shared_ptr<state> state_;
};

}  // namespace starling::transport

// Where the data streams that members open find the session that waits for them: this node's stages, and the chains
// that it coordinates.
//
// Owner: node. Thread: the network executor.
#pragma once

#include "pipeline/data_stream.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace starling::pipeline {

class data_inlets {
  public:
    /// Takes the stream, or says why not: then it is told to the other side. An error of this kind ends nothing here.
    using taker =
        std::function<result<void>(const stage_data& opening, const node_id& from, std::unique_ptr<data_reader>& on)>;

    /// Told of every stream that nobody took, for the log.
    using refusal_sink = std::function<void(const node_id& from, const error& why)>;

    explicit data_inlets(refusal_sink on_refused = {}) : on_refused_(std::move(on_refused)) {}
    data_inlets(const data_inlets&) = delete;
    data_inlets& operator=(const data_inlets&) = delete;

    /// Belongs to whoever waits; streams are offered to it until it is destroyed.
    class registration {
      public:
        registration(data_inlets* of, std::uint64_t serial) : of_(of), serial_(serial) {}
        registration(registration&& other) noexcept : of_(std::exchange(other.of_, nullptr)), serial_(other.serial_) {}
        registration& operator=(registration&&) = delete;
        ~registration();

      private:
        data_inlets* of_;
        std::uint64_t serial_;
    };

    /// `index` as in stage_data. The registry outlives the registration.
    registration expect(deployment_id deployment, std::size_t index, taker take);

    /// Answers a stream that began with `stage_data`. Errors that the other side is told: those of parsing;
    /// unknown_deployment; and those of the taker.
    awaitable<void> serve(transport::message_stream on, std::string first, node_id from);

    std::uint64_t refused() const { return refused_; }

  private:
    struct entry {
        std::uint64_t serial = 0;
        taker take;
    };

    result<void> offer(const std::string& first, const node_id& from, std::unique_ptr<data_reader>& on);

    refusal_sink on_refused_;
    std::map<std::pair<deployment_id, std::size_t>, entry> waiting_;
    std::uint64_t next_serial_ = 0;
    std::uint64_t refused_ = 0;
};

/// What every taker asks: the epoch is the current one, and it is the right node that opened the stream.
/// Errors: stale_epoch, wrong_node.
result<void> check_opening(const stage_data& opening, const node_id& from, epoch_number epoch, const node_id& expected);

}  // namespace starling::pipeline

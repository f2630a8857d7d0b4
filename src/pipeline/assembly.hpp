// Putting a chain together: asks every node for its stage at the same time, waits until all are loaded, and gives the
// live control streams; or the first failure, with everything that was opened closed again.
//
// Thread: the network executor. Called by: whoever coordinates a deployment.
#pragma once

#include "pipeline/stage_messages.hpp"
#include "transport/message_stream.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace starling::pipeline {

struct stage_place {
    node_id node;
    std::int32_t first = 0;  // layers [first, end)
    std::int32_t end = 0;
};

/// What every stage of one epoch is told.
struct chain_spec {
    deployment_id deployment = 0;
    epoch_number epoch = 1;
    std::uint64_t term = 0;
    node_id coordinator;
    std::string model;
    std::string content;
    std::int32_t layers = 0;          // of the whole model
    std::vector<stage_place> remote;  // in order; the coordinator has what comes after the last
    std::int32_t context = 0;
    std::int32_t sequences = 0;
    std::int32_t step_tokens = 0;
    number_type numbers = number_type::f16;
};

stage_open opening_of(const chain_spec& spec, std::size_t index);

/// A stage that is loaded and waits for steps; dropping its control stream releases it.
struct open_stage {
    node_id node;
    layer_range layers;
    std::int32_t width = 0;
    std::uint64_t memory_bytes = 0;
    std::unique_ptr<transport::message_stream> control;
};

struct stage_failure {
    node_id node;
    error why;
    std::optional<node_id> about;            // who has the lease, when that is why
    std::optional<stage_refused> said = {};  // where the node itself said so
};

struct assembly_options {
    std::chrono::milliseconds silence{2'500};  // a stage that loads is heard every second
    std::chrono::milliseconds limit{120'000};  // until all are loaded
    std::int32_t width = 0;                    // of the coordinator's own stage; 0: not known yet
};

/// Either every stage in order, or the failure.
struct assembled {
    std::vector<open_stage> stages;
    std::optional<stage_failure> failed;
};

/// Called for each stage with a fraction in [0, 1].
using assembly_progress = std::function<void(std::size_t index, double fraction)>;

/// `links` outlives the call. Failures: no_link; lost; stalled (not loaded in time); malformed; wrong_shape (other
/// layers than asked for, or activations of another width); and whatever a stage refused with.
awaitable<assembled> assemble(chain_spec spec, peer_links& links, assembly_options options,
                              assembly_progress progress = {});

}  // namespace starling::pipeline

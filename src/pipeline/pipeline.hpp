// A model over several machines: the data plane between stages, and the coordinator's chain of them.
//
// The coordinator of a deployment runs the last stage, so that logits, sampling and grammars are local; steps leave it
// as tokens for the first stage, go from stage to stage as activations, and come back to it. Pure parts: data_codec,
// stage_messages, half. A node that lends itself has one stage_host; one that coordinates has, for each deployment, a
// chain_driver, whose chain its scheduler drives, and assemble() to put stages together. data_inlets brings the data
// streams of others to whichever waits for them.
//
// Owner: node and deployment. Thread: the network executor; each loaded stage computes on a thread of its own.
#pragma once

#include "pipeline/assembly.hpp"
#include "pipeline/data_inlets.hpp"
#include "pipeline/errc.hpp"
#include "pipeline/remote_chain.hpp"
#include "pipeline/stage_host.hpp"
#include "pipeline/types.hpp"

#include <string>
#include <string_view>

namespace starling::pipeline {

/// The message begins a stream of this library, and not a request to a model.
bool begins_stage_stream(std::string_view first);

/// Answers such a stream for as long as it lives. `host` and `inlets` outlive it.
awaitable<void> serve(stage_host& host, data_inlets& inlets, transport::message_stream on, std::string first,
                      node_id from);

}  // namespace starling::pipeline

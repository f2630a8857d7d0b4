// Why a stage, or a chain of them, cannot go on. What is wrong with bytes from another node has a code of its own for
// each rule, so that a log and a test can say which rule it was.
#pragma once

#include "base/result.hpp"

namespace starling::pipeline {

enum class errc {
    // A frame or message that breaks a rule.
    malformed = 1,       // not what it should be
    unsupported,         // of a version or kind that is not known here
    too_large,           // more than the deployment's limits allow
    unknown_deployment,  // nobody here waits for it
    stale_epoch,         // of an epoch that is over
    duplicate_step,      // a step that was there already
    gap,                 // a step is missing before this one
    wrong_shape,         // not the width, kind, number type, layers or tokens that were agreed on
    not_finite,          // NaN or an infinity among the activations
    out_of_range,        // a sequence or position that the deployment does not have
    wrong_node,          // somebody else than the one who was named
    second_stream,       // the stream that it would replace is still there

    // What a stage cannot do.
    busy,           // as many stages here as there may be, or the lease is somebody else's
    no_model,       // the file is not here
    no_memory,      // it does not fit
    load_failed,    // the file is here and cannot be used
    engine_failed,  // a step could not be computed
    does_not_fit,   // an activation is too large for f16; f32 can carry it
    no_link,        // no connection to a node that is needed
    declined,       // for a reason that is not known here

    // How it ended.
    lost,        // a node or its stream is gone, or was not heard of in time
    stalled,     // a node is there and makes no headway
    superseded,  // a newer epoch took its place
    closed,      // in order, by whoever opened it
};

constexpr const char* category_name(errc) {
    return "pipeline";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::malformed: return "malformed";
        case errc::unsupported: return "unsupported";
        case errc::too_large: return "too large";
        case errc::unknown_deployment: return "unknown deployment";
        case errc::stale_epoch: return "stale epoch";
        case errc::duplicate_step: return "duplicate step";
        case errc::gap: return "gap between steps";
        case errc::wrong_shape: return "wrong shape";
        case errc::not_finite: return "activations not finite";
        case errc::out_of_range: return "sequence or position out of range";
        case errc::wrong_node: return "wrong node";
        case errc::second_stream: return "second data stream";
        case errc::busy: return "busy";
        case errc::no_model: return "model not here";
        case errc::no_memory: return "not enough memory";
        case errc::load_failed: return "stage load failed";
        case errc::engine_failed: return "step failed";
        case errc::does_not_fit: return "activation does not fit f16";
        case errc::no_link: return "no connection to a node";
        case errc::declined: return "declined";
        case errc::lost: return "stage lost";
        case errc::stalled: return "stage stalled";
        case errc::superseded: return "superseded by a newer epoch";
        case errc::closed: return "closed";
    }
    return "unknown error";
}

}  // namespace starling::pipeline

template <>
struct std::is_error_code_enum<starling::pipeline::errc> : std::true_type {};

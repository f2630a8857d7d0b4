#include "pipeline/pipeline.hpp"

#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <utility>

namespace starling::pipeline {

namespace {

/// "stage_open", "stage_data", or whatever else it is; empty when it is too long to be one of them.
std::string type_of(std::string_view first) {
    if (first.size() > max_message_bytes || first.find("stage_") == std::string_view::npos) {
        return {};
    }
    const auto parsed = wire::parse_or_null(first);
    return std::string(wire::string_member(parsed, "type"));
}

}  // namespace

bool begins_stage_stream(std::string_view first) {
    const auto type = type_of(first);
    return type == "stage_open" || type == "stage_data";
}

awaitable<void> serve(stage_host& host, data_inlets& inlets, transport::message_stream on, std::string first,
                      node_id from) {
    if (type_of(first) == "stage_data") {
        co_await inlets.serve(std::move(on), std::move(first), from);
    } else {
        co_await host.serve(std::move(on), std::move(first), from);
    }
}

}  // namespace starling::pipeline

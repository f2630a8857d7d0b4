#include "pipeline/stage_messages.hpp"

#include "wire/json_access.hpp"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace starling::pipeline {

namespace json = boost::json;
using wire::string_member;

namespace {

constexpr std::array<std::pair<errc, const char*>, 24> codes{{{errc::malformed, "malformed"},
                                                              {errc::unsupported, "unsupported"},
                                                              {errc::too_large, "too_large"},
                                                              {errc::unknown_deployment, "unknown_deployment"},
                                                              {errc::stale_epoch, "stale_epoch"},
                                                              {errc::duplicate_step, "duplicate_step"},
                                                              {errc::gap, "gap"},
                                                              {errc::wrong_shape, "wrong_shape"},
                                                              {errc::not_finite, "not_finite"},
                                                              {errc::out_of_range, "out_of_range"},
                                                              {errc::wrong_node, "wrong_node"},
                                                              {errc::second_stream, "second_stream"},
                                                              {errc::busy, "busy"},
                                                              {errc::no_model, "no_model"},
                                                              {errc::no_memory, "no_memory"},
                                                              {errc::load_failed, "load_failed"},
                                                              {errc::engine_failed, "engine_failed"},
                                                              {errc::does_not_fit, "does_not_fit"},
                                                              {errc::no_link, "no_link"},
                                                              {errc::declined, "declined"},
                                                              {errc::lost, "lost"},
                                                              {errc::stalled, "stalled"},
                                                              {errc::superseded, "superseded"},
                                                              {errc::closed, "closed"}}};

/// Sixteen hex characters: readers of JSON elsewhere have no integers of 64 bits.
std::string hex_of(deployment_id id) {
    return fmt::format("{:016x}", id);
}

std::optional<deployment_id> id_of(std::string_view text) {
    deployment_id out = 0;
    const auto* end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, out, 16);
    return text.size() == 16 && failed == std::errc{} && at == end && hex_of(out) == text ? std::optional(out)
                                                                                          : std::nullopt;
}

std::uint64_t unsigned_member(const json::value& of, std::string_view name) {
    const auto* found = wire::member(of, name);
    if (found == nullptr || !found->is_number()) {
        return 0;
    }
    boost::system::error_code failed;
    const auto value = found->to_number<std::uint64_t>(failed);
    return failed ? 0 : value;
}

/// What is too long is cut: a reason is for people.
std::string text_member(const json::value& of, std::string_view name) {
    return std::string(string_member(of, name).substr(0, max_text_bytes));
}

json::object json_of(const stage_open& from) {
    json::array stages;
    for (const node_id& one : from.stages) {
        stages.emplace_back(to_string(one));
    }
    return {{"type", "stage_open"},
            {"version", messages_version},
            {"deployment", hex_of(from.deployment)},
            {"epoch", from.epoch},
            {"term", from.term},
            {"coordinator", to_string(from.coordinator)},
            {"model", from.model},
            {"content", from.content},
            {"stages", std::move(stages)},
            {"index", from.index},
            {"first", from.layers.first},
            {"end", from.layers.end},
            {"of_layers", from.layers.of},
            {"context", from.context},
            {"sequences", from.sequences},
            {"step_tokens", from.step_tokens},
            {"numbers", from.numbers == number_type::f16 ? "f16" : "f32"}};
}

json::object json_of(const stage_progress& from) {
    return {{"type", "stage_progress"}, {"fraction", from.fraction}};
}

json::object json_of(const stage_ready& from) {
    return {{"type", "stage_ready"},       {"first", from.layers.first}, {"end", from.layers.end},
            {"of_layers", from.layers.of}, {"width", from.width},        {"memory_bytes", from.memory_bytes}};
}

json::object json_of(const stage_refused& from) {
    json::object out{{"type", "stage_refused"}, {"code", code_name(from.why)}, {"message", from.why.message}};
    if (from.about) {
        out["about"] = to_string(*from.about);
    }
    return out;
}

json::object json_of(const stage_state& from) {
    return {{"type", "stage_state"}, {"steps", from.steps}, {"ms_per_token", from.ms_per_token}};
}

json::object json_of(const stage_close& from) {
    return {{"type", "stage_close"}, {"reason", from.reason}};
}

json::object json_of(const stage_data& from) {
    return {{"type", "stage_data"},
            {"version", messages_version},
            {"deployment", hex_of(from.deployment)},
            {"epoch", from.epoch},
            {"index", from.index}};
}

error malformed(std::string_view what) {
    return fail(errc::malformed, fmt::format("A message about a stage has no valid {}.", what));
}

result<void> check_version(const json::value& from) {
    const auto version = wire::count_member(from, "version");
    if (version > messages_version) {
        return fail(errc::unsupported, fmt::format("The other node speaks version {} of the pipeline; {} is known "
                                                   "here.",
                                                   version, messages_version));
    }
    return {};
}

result<layer_range> read_layers(const json::value& from) {
    const layer_range out{.first = wire::count_member(from, "first"),
                          .end = wire::count_member(from, "end"),
                          .of = wire::count_member(from, "of_layers")};
    if (out.of > max_layers || out.end > out.of || out.first >= out.end) {
        return fail(errc::out_of_range, fmt::format("There are no layers {} to {} of {}.", out.first, out.end, out.of));
    }
    return out;
}

result<std::vector<node_id>> read_stages(const json::value& from, const node_id& coordinator) {
    const auto* list = wire::array_member(from, "stages");
    if (list == nullptr || list->empty()) {
        return malformed("list of stages");
    }
    if (list->size() > max_stages) {
        return fail(errc::too_large, fmt::format("{} stages; there may be {}.", list->size(), max_stages));
    }
    std::vector<node_id> out;
    for (const json::value& one : *list) {
        const auto* text = one.if_string();
        const auto id = text == nullptr ? std::nullopt : parse_node_id({text->data(), text->size()});
        if (!id) {
            return malformed("list of stages");
        }
        if (*id == coordinator || std::find(out.begin(), out.end(), *id) != out.end()) {
            return fail(errc::malformed, "A node is in a chain twice.");
        }
        out.push_back(*id);
    }
    return out;
}

/// An integer in [1, most].
result<std::int32_t> read_size(const json::value& from, std::string_view name, std::int32_t most) {
    const auto value = wire::count_member(from, name);
    if (value < 1 || value > most) {
        return fail(errc::out_of_range,
                    fmt::format("A message about a stage has '{}' {}; 1 to {} is possible.", name, value, most));
    }
    return value;
}

result<epoch_number> read_epoch(const json::value& from) {
    const auto value = unsigned_member(from, "epoch");
    if (value == 0 || value > std::numeric_limits<epoch_number>::max()) {
        return malformed("epoch");
    }
    return static_cast<epoch_number>(value);
}

result<void> read_numbers(const json::value& from, stage_open* into) {
    const std::array<std::pair<const char*, std::int32_t stage_open::*>, 3> sizes{
        {{"context", &stage_open::context},
         {"sequences", &stage_open::sequences},
         {"step_tokens", &stage_open::step_tokens}}};
    const std::array<std::int32_t, 3> most{max_context, max_sequences, max_step_tokens};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        auto size = read_size(from, sizes[i].first, most[i]);
        if (!size) {
            return size.error();
        }
        into->*sizes[i].second = *size;
    }
    const auto numbers = string_member(from, "numbers");
    if (numbers != "f16" && numbers != "f32") {
        return fail(errc::unsupported, "Activations of a number type that is not known here.");
    }
    into->numbers = numbers == "f16" ? number_type::f16 : number_type::f32;
    return {};
}

result<stage_message> read_open(const json::value& from) {
    stage_open out;
    if (auto known = check_version(from); !known) {
        return known.error();
    }
    const auto deployment = id_of(string_member(from, "deployment"));
    const auto coordinator = parse_node_id(string_member(from, "coordinator"));
    if (!deployment || !coordinator) {
        return malformed(deployment ? "coordinator" : "deployment");
    }
    out.deployment = *deployment;
    out.coordinator = *coordinator;
    out.term = unsigned_member(from, "term");
    out.model = string_member(from, "model");
    out.content = string_member(from, "content");
    if (out.model.empty() || out.content.empty() || out.model.size() > max_text_bytes ||
        out.content.size() > max_text_bytes) {
        return malformed("model");
    }
    auto epoch = read_epoch(from);
    if (!epoch) {
        return epoch.error();
    }
    auto layers = read_layers(from);
    if (!layers) {
        return layers.error();
    }
    auto stages = read_stages(from, out.coordinator);
    if (!stages) {
        return stages.error();
    }
    if (auto numbers = read_numbers(from, &out); !numbers) {
        return numbers.error();
    }
    out.epoch = *epoch;
    out.layers = *layers;
    out.stages = std::move(*stages);
    out.index = unsigned_member(from, "index");
    if (out.index >= out.stages.size()) {
        return malformed("index");
    }
    return stage_message(std::move(out));
}

result<stage_message> read_ready(const json::value& from) {
    auto layers = read_layers(from);
    if (!layers) {
        return layers.error();
    }
    auto width = read_size(from, "width", max_width);
    if (!width) {
        return width.error();
    }
    return stage_message(
        stage_ready{.layers = *layers, .width = *width, .memory_bytes = unsigned_member(from, "memory_bytes")});
}

result<stage_message> read_data(const json::value& from) {
    if (auto known = check_version(from); !known) {
        return known.error();
    }
    const auto deployment = id_of(string_member(from, "deployment"));
    auto epoch = read_epoch(from);
    const auto index = unsigned_member(from, "index");
    if (!deployment || !epoch || index > max_stages) {
        return malformed(!deployment ? "deployment" : !epoch ? "epoch" : "index");
    }
    return stage_message(stage_data{.deployment = *deployment, .epoch = *epoch, .index = index});
}

stage_message read_refused(const json::value& from) {
    return stage_refused{.why = fail(code_of(string_member(from, "code")), text_member(from, "message")),
                         .about = parse_node_id(string_member(from, "about"))};
}

stage_message read_state(const json::value& from) {
    constexpr double most_ms = 1e9;
    return stage_state{
        .steps = unsigned_member(from, "steps"),
        .ms_per_token = std::clamp(wire::number_member(from, "ms_per_token").value_or(0.0), 0.0, most_ms)};
}

}  // namespace

std::string to_json(const stage_message& from) {
    return json::serialize(std::visit([](const auto& what) { return json_of(what); }, from));
}

result<stage_message> parse_stage_message(std::string_view text) {
    if (text.size() > max_message_bytes) {
        return fail(errc::too_large, fmt::format("A message about a stage of {} bytes.", text.size()));
    }
    const json::value from = wire::parse_or_null(text);
    if (!from.is_object()) {
        return fail(errc::malformed, "A message about a stage is no JSON object.");
    }
    const auto type = string_member(from, "type");
    if (type == "stage_open") {
        return read_open(from);
    }
    if (type == "stage_data") {
        return read_data(from);
    }
    if (type == "stage_ready") {
        return read_ready(from);
    }
    if (type == "stage_state") {
        return read_state(from);
    }
    if (type == "stage_progress") {
        return stage_message(stage_progress{std::clamp(wire::number_member(from, "fraction").value_or(0.0), 0.0, 1.0)});
    }
    if (type == "stage_refused") {
        return read_refused(from);
    }
    if (type == "stage_close") {
        return stage_message(stage_close{text_member(from, "reason")});
    }
    return fail(errc::unsupported, "A message about a stage is of a type that is not known here.");
}

data_limits limits_into(const stage_open& of, std::int32_t width) {
    return {.deployment = of.deployment,
            .epoch = of.epoch,
            .kind = of.index == 0 ? frame_kind::tokens : frame_kind::activations,
            .numbers = of.numbers,
            .sequences = of.sequences,
            .context = of.context,
            .step_tokens = of.step_tokens,
            .width = width,
            .stages_before = of.index};
}

data_limits limits_out_of(const stage_open& of, std::int32_t width) {
    data_limits out = limits_into(of, width);
    out.kind = frame_kind::activations;
    ++out.stages_before;
    return out;
}

const node_id& predecessor(const stage_open& of) {
    return of.index == 0 ? of.coordinator : of.stages[of.index - 1];
}

const node_id& successor(const stage_open& of) {
    return of.index + 1 == of.stages.size() ? of.coordinator : of.stages[of.index + 1];
}

const char* code_name(const error& why) {
    for (const auto& [code, name] : codes) {
        if (why == code) {
            return name;
        }
    }
    return "declined";
}

errc code_of(std::string_view name) {
    for (const auto& [code, known] : codes) {
        if (name == known) {
            return code;
        }
    }
    return errc::declined;
}

}  // namespace starling::pipeline

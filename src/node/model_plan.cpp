#include "node/model_plan.hpp"

#include "node/machine_speed.hpp"
#include "node/model_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace starling::node {

namespace {

constexpr std::int64_t usual_context = 4096;
constexpr std::int32_t usual_slots = 4;
// What is free one moment is taken by something else the next.
constexpr double kept_share = 0.10;
constexpr std::uint64_t kept_bytes = 256ULL << 20;

plan::split_mode mode_of(const settings::config& how) {
    switch (how.split) {
        case settings::split_mode::never: return plan::split_mode::never;
        case settings::split_mode::exactly: return plan::split_mode::exactly;
        case settings::split_mode::automatic: break;
    }
    return plan::split_mode::automatic;
}

}  // namespace

split_size choose_split_size(const settings::config& settings, const gguf::file_header& header) {
    const auto trained = std::max<std::int64_t>(1, header.context_length());
    return {.context = static_cast<std::uint32_t>(
                settings.context > 0 ? settings.context : std::min<std::int64_t>(usual_context, trained)),
            .slots = static_cast<std::uint32_t>(settings.slots > 0 ? settings.slots : usual_slots)};
}

std::uint64_t lendable_bytes(const settings::config& settings, std::uint64_t free_bytes) {
    const std::uint64_t kept =
        settings.memory_bytes > 0
            ? 0
            : std::max(kept_bytes, static_cast<std::uint64_t>(static_cast<double>(free_bytes) * kept_share));
    return free_bytes > kept ? free_bytes - kept : 0;
}

result<plan::placement> place_model(const measured_shape& of, std::span<const plan::machine> machines,
                                    const plan::network& links, plan::wish what) {
    const bool asked_to_be_cut = what.split == plan::split_mode::exactly && what.stages > 1;
    if (!of.why_whole.empty() && asked_to_be_cut) {
        what.split = plan::split_mode::automatic;
    }
    auto made = plan::make_plan(of.shape, machines, links, what);
    if (of.why_whole.empty()) {
        return made;
    }
    if (!made) {
        return error{made.error().code, fmt::format("{} It cannot be cut: {}.", made.error().message, of.why_whole)};
    }
    if (asked_to_be_cut) {
        made->reason += fmt::format(" It was to be cut, and that cannot be: {}.", of.why_whole);
    }
    return made;
}

result<plan_subject> measure_subject(const stage_file& whole, const std::string& name, const settings::config& how,
                                     const std::filesystem::path& scratch) {
    const auto header = gguf::read_header(whole.path);
    if (!header) {
        return header.error();
    }
    const split_size size = choose_split_size(how, *header);
    const split_measures with{.context = static_cast<std::int32_t>(size.context),
                              .slots = static_cast<std::int32_t>(size.slots),
                              .bytes_per_activation = how.activations == settings::activations::f32 ? 4 : 2,
                              .one_machine_only = false};
    auto measured = measure_shape(whole, name, with, scratch);
    if (!measured) {
        return measured.error();
    }
    plan_subject out{.measured = std::move(*measured), .wish = {}};
    out.wish.context = size.context;
    out.wish.slots = size.slots;
    out.wish.split = mode_of(how);
    out.wish.stages = static_cast<std::size_t>(std::max(how.split_stages, 0));
    out.wish.margin_share = 0.0;  // each machine has kept its own
    out.wish.margin_bytes = 0;
    return out;
}

result<plan::placement> plan_alone(const settings::config& settings, models::model_store& store,
                                   const models::reference& which) {
    const auto found = store.find(which);
    if (!found) {
        return found.error();
    }
    const auto header = gguf::read_header(found->path);
    if (!header) {
        return header.error();
    }
    if (const auto origin = gguf::origin_of(*header); origin && origin->layers.size() < origin->of_layers) {
        return fail(models::errc::bad_model, part_of_a_model(found->path, origin->layers, origin->of_layers));
    }
    const auto layers = static_cast<std::int32_t>(header->layers());
    const stage_file whole{
        .path = found->path, .content = {}, .layers = {.first = 0, .end = layers}, .of_layers = layers};
    auto subject = measure_subject(whole, found->id, settings, settings.data_dir / "slices");
    if (!subject) {
        return subject.error();
    }
    plan::machine here;
    here.name = settings.name;
    here.free_bytes = lendable_bytes(settings, memory_for_models(settings));
    here.read_bytes_per_s = measure_read_speed(settings.threads);
    subject->wish.coordinator = here.id;
    return place_model(subject->measured, std::span(&here, 1), {}, subject->wish);
}

api::model_plan told(const plan::placement& from) {
    api::model_plan out{.model = from.model,
                        .stages = {},
                        .tokens_per_s = from.tokens_per_s,
                        .total_tokens_per_s = from.total_tokens_per_s,
                        .reason = from.reason,
                        .table = plan::to_table(from)};
    for (const plan::stage& one : from.stages) {
        out.stages.push_back({.node_id = one.node == node_id() ? std::string() : to_string(one.node),
                              .name = one.name,
                              .first_layer = one.layers.first,
                              .last_layer = one.layers.end - 1,
                              .memory_bytes = one.memory.total(),
                              .ms_per_token = one.ms_per_token});
    }
    return out;
}

}  // namespace starling::node

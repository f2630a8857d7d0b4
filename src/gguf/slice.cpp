#include "gguf/slice.hpp"

#include "gguf/header_reader.hpp"
#include "gguf/slice_parts.hpp"

#include <algorithm>

namespace starling::gguf {

namespace {

constexpr std::int64_t most_width = 1 << 24;  // as check_model has it
constexpr std::int64_t most_streams = 1024;   // of hyper-connections; real models have four

std::optional<std::int32_t> layer_number(const file_header& header, std::string_view key) {
    const value* found = header.find(key);
    const auto number = found != nullptr ? found->integer() : std::nullopt;
    return number && *number >= 0 && *number <= max_layers ? std::optional(static_cast<std::int32_t>(*number))
                                                           : std::nullopt;
}

error cannot(const file_header& header, std::string_view why) {
    return fail(errc::cannot_split, "models of the architecture '" + shown(header.architecture()) +
                                        "' cannot be split: " + std::string(why));
}

}  // namespace

result<extent> extent_of(const file_header& header) {
    const std::int64_t layers = header.layers();
    if (layers < 1 || layers > max_layers) {
        return fail(errc::corrupt, std::string(header.architecture()) + ".block_count is missing or not from 1 to " +
                                       std::to_string(max_layers));
    }
    const auto count = static_cast<std::int32_t>(layers);
    const bool is_slice = std::any_of(header.metadata.begin(), header.metadata.end(),
                                      [](const metadata_entry& e) { return e.key.starts_with(origin_prefix); });
    if (!is_slice) {
        return extent{{0, count}, count};
    }
    const auto origin = origin_of(header);
    if (!origin || origin->layers.size() != count) {
        return fail(errc::corrupt, "the file says that it is a slice of a model, but not of which layers");
    }
    return extent{origin->layers, origin->of_layers};
}

result<const split_rule*> rule_of(const file_header& header, const extent& held) {
    const split_rule* rule = find_split_rule(header.architecture());
    if (rule == nullptr) {
        return cannot(header, refusal(header.architecture()));
    }
    if (held.is_whole()) {
        if (const std::string why = model_refusal(*rule, header); !why.empty()) {
            return cannot(header, why);
        }
    }
    return rule;
}

std::optional<slice_origin> origin_of(const file_header& header) {
    const auto first = layer_number(header, first_layer_key);
    const auto end = layer_number(header, end_layer_key);
    const auto of = layer_number(header, layers_key);
    if (!first || !end || !of || *first >= *end || *end > *of) {
        return std::nullopt;
    }
    slice_origin origin{{}, {*first, *end}, *of};
    if (const value* content = header.find(content_key); content != nullptr) {
        origin.content = content->text().value_or("");
    }
    return origin;
}

result<std::vector<std::int32_t>> legal_cuts(const file_header& whole) {
    const auto held = extent_of(whole);
    if (!held) {
        return held.error();
    }
    if (!held->is_whole()) {
        return fail(errc::cannot_split, "this file is a slice of a model; the places to cut are those of the whole");
    }
    if (const auto rule = rule_of(whole, *held); !rule) {
        return rule.error();
    }
    std::vector<std::int32_t> cuts;
    for (std::int32_t cut = 1; cut < held->of_layers; ++cut) {
        if (check_stage(whole, {0, cut}) && check_stage(whole, {cut, held->of_layers})) {
            cuts.push_back(cut);
        }
    }
    return cuts;
}

result<stage_seams> seams_of(const file_header& header) {
    const auto held = extent_of(header);
    if (!held) {
        return held.error();
    }
    if (held->is_whole()) {
        return stage_seams{};
    }
    const split_rule* rule = find_split_rule(header.architecture());
    if (rule == nullptr) {
        return cannot(header, refusal(header.architecture()));
    }
    stage_seams seams;
    seams.width = std::clamp<std::int64_t>(header.embedding_length(), 0, most_width);
    if (const value* streams = header.find_for_architecture("hyper_connection.count"); streams != nullptr) {
        seams.width *= std::clamp<std::int64_t>(streams->integer().value_or(1), 1, most_streams);
    }
    if (held->held.first > 0) {
        // A model of this architecture may have positions or not.
        const bool plain = rule->inject == "inpL" && header.find_tensor("position_embd.weight") == nullptr;
        seams.inject = plain ? "embd" : rule->inject;
    }
    seams.factors = derived_factors(*rule, header, held->of_layers);
    if (held->held.end < held->of_layers) {
        seams.capture = std::string(rule->capture) + "-" + std::to_string(held->held.size() - 1);
    }
    return seams;
}

}  // namespace starling::gguf

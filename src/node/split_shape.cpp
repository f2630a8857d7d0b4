#include "node/split_shape.hpp"

#include "gguf/gguf.hpp"
#include "llama/dry_run.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <system_error>
#include <utility>

namespace starling::node {

namespace fs = std::filesystem;

namespace {

/// The layer that a tensor belongs to; nothing for those of the whole model.
std::optional<std::size_t> layer_of(std::string_view tensor) {
    constexpr std::string_view prefix = "blk.";
    if (tensor.substr(0, prefix.size()) != prefix) {
        return std::nullopt;
    }
    tensor.remove_prefix(prefix.size());
    std::size_t layer = 0;
    const auto [end, failed] = std::from_chars(tensor.data(), tensor.data() + tensor.size(), layer);
    return failed == std::errc() && end != tensor.data() ? std::optional(layer) : std::nullopt;
}

std::uint64_t bytes_outside_layers(const gguf::file_header& header) {
    std::uint64_t sum = 0;
    for (const gguf::tensor_info& tensor : header.tensors) {
        sum += layer_of(tensor.name) ? 0 : tensor.bytes;
    }
    return sum;
}

/// Of a mixture of experts a token reads only some.
double read_share(const gguf::file_header& header, std::string_view tensor) {
    const auto* used = header.find_for_architecture("expert_used_count");
    const auto count = header.experts();
    if (count <= 0 || used == nullptr || tensor.find("_exps.") == std::string_view::npos) {
        return 1.0;
    }
    return std::clamp(static_cast<double>(used->integer().value_or(count)) / static_cast<double>(count), 0.0, 1.0);
}

std::vector<plan::layer_shape> layers_of(const gguf::file_header& header) {
    std::vector<plan::layer_shape> out(static_cast<std::size_t>(header.layers()));
    for (const gguf::tensor_info& tensor : header.tensors) {
        if (const auto layer = layer_of(tensor.name); layer && *layer < out.size()) {
            out[*layer].weight_bytes += tensor.bytes;
            out[*layer].read_bytes +=
                static_cast<std::uint64_t>(static_cast<double>(tensor.bytes) * read_share(header, tensor.name));
        }
    }
    return out;
}

/// Spreads what llama.cpp keeps for all layers over them: by the heads that they have, evenly where nothing tells.
void spread_cache(const gguf::file_header& header, std::uint64_t cache_bytes, std::uint64_t positions,
                  std::vector<plan::layer_shape>& layers) {
    std::vector<double> weights;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        weights.push_back(
            static_cast<double>(std::max<std::int64_t>(header.kv_heads(static_cast<std::int64_t>(i)), 0)));
    }
    double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (sum == 0.0) {
        std::fill(weights.begin(), weights.end(), 1.0);
        sum = static_cast<double>(weights.size());
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const double share = static_cast<double>(cache_bytes) * weights[i] / sum;
        layers[i].kv_bytes_per_position =
            static_cast<std::uint64_t>(share / static_cast<double>(std::max<std::uint64_t>(positions, 1))) + 1;
    }
}

/// Of the places where a model can be cut in two, those between which any range can be a stage: models of mixed layers
/// need one of each kind in it.
std::vector<std::int32_t> cuts_apart(const gguf::file_header& whole, const std::vector<std::int32_t>& cuts) {
    std::vector<std::int32_t> out;
    for (const std::int32_t cut : cuts) {
        if (out.empty() || gguf::check_stage(whole, {.first = out.back(), .end = cut})) {
            out.push_back(cut);
        }
    }
    return out;
}

struct part {
    std::uint64_t fixed_bytes = 0;
    std::uint64_t compute_bytes = 0;
};

result<part> measure_part(const gguf::file_header& whole, gguf::layer_range layers, const llama::stage_options& options,
                          const fs::path& dir) {
    auto plan = gguf::plan_slice(whole, layers, "");
    if (!plan) {
        return plan.error();
    }
    for (auto& source : plan->sources) {
        source.reset();  // a header, and holes for the tensors
    }
    struct nothing final : gguf::range_source {
        result<void> read(std::uint64_t, std::span<std::byte>) override { return {}; }
    } never_read;
    const auto hollow = gguf::write_fresh_slice(*plan, never_read, dir / "measured.gguf");
    if (!hollow) {
        return hollow.error();
    }
    auto memory = llama::measure_stage(hollow->path(), options);
    if (!memory) {
        return memory.error();
    }
    return part{.fixed_bytes = bytes_outside_layers(plan->header), .compute_bytes = memory->compute_bytes};
}

/// Of few layers and of many: the one that takes more counts.
result<part> measure_both(const gguf::file_header& whole, gguf::layer_range few, gguf::layer_range many,
                          const llama::stage_options& options, const fs::path& dir) {
    auto a = measure_part(whole, few, options, dir);
    if (!a || few == many) {
        return a;
    }
    const auto b = measure_part(whole, many, options, dir);
    if (!b) {
        return b;
    }
    return part{.fixed_bytes = std::max(a->fixed_bytes, b->fixed_bytes),
                .compute_bytes = std::max(a->compute_bytes, b->compute_bytes)};
}

/// Fills in what each kind of stage needs.
result<void> measure_cuts(const gguf::file_header& header, const llama::stage_options& options, const fs::path& dir,
                          plan::model_shape& shape) {
    const auto layers = static_cast<std::int32_t>(header.layers());
    const std::int32_t low = shape.cuts.front();
    const std::int32_t high = shape.cuts.back();
    const auto first = measure_both(header, {.first = 0, .end = low}, {.first = 0, .end = high}, options, dir);
    const auto last = measure_both(header, {.first = high, .end = layers}, {.first = low, .end = layers}, options, dir);
    if (!first || !last) {
        return !first ? first.error() : last.error();
    }
    part middle{.fixed_bytes = 0, .compute_bytes = std::min(first->compute_bytes, last->compute_bytes)};
    if (shape.cuts.size() > 1) {  // stages in the middle take alike, whichever they are
        const auto measured =
            measure_both(header, {.first = low, .end = shape.cuts[1]}, {.first = low, .end = high}, options, dir);
        if (!measured) {
            return measured.error();
        }
        middle = *measured;
    }
    shape.every_bytes = std::min({middle.fixed_bytes, first->fixed_bytes, last->fixed_bytes});
    shape.first_bytes = first->fixed_bytes - shape.every_bytes;
    shape.last_bytes = last->fixed_bytes - shape.every_bytes;
    const std::uint64_t apart = shape.first_bytes + shape.last_bytes + shape.every_bytes;
    const std::uint64_t together = bytes_outside_layers(header);
    shape.shared_bytes = std::min({apart > together ? apart - together : 0, shape.first_bytes, shape.last_bytes});
    shape.compute.first = first->compute_bytes;
    shape.compute.middle = middle.compute_bytes;
    shape.compute.last = last->compute_bytes;
    return {};
}

}  // namespace

result<measured_shape> measure_shape(const stage_file& whole, const std::string& name, const split_measures& with,
                                     const fs::path& scratch) {
    const auto header = gguf::read_header(whole.path);
    if (!header) {
        return header.error();
    }
    measured_shape out;
    plan::model_shape& shape = out.shape;
    shape.name = name;
    shape.layers = layers_of(*header);
    shape.embedding_length = static_cast<std::int32_t>(header->embedding_length());
    shape.bytes_per_activation = with.bytes_per_activation;
    llama::stage_options options{.context = with.context, .sequences = with.slots, .threads = 1};
    options.widest = 256;
    const auto all = llama::measure_stage(whole.path, options);
    if (!all) {
        return all.error();
    }
    spread_cache(*header, all->cache_bytes,
                 static_cast<std::uint64_t>(with.context) * static_cast<std::uint64_t>(with.slots), shape.layers);
    shape.compute.whole = all->compute_bytes;
    shape.every_bytes = bytes_outside_layers(*header);
    if (with.one_machine_only) {
        return out;
    }
    const auto cuts = gguf::legal_cuts(*header);
    if (cuts) {
        shape.cuts = cuts_apart(*header, *cuts);
    }
    if (shape.cuts.empty()) {
        out.why_whole = cuts ? name + " has no layer at which it could be cut" : cuts.error().message;
        return out;
    }
    std::error_code failed;
    fs::create_directories(scratch, failed);
    options.widest = split_step_tokens;
    if (auto measured = measure_cuts(*header, options, scratch, shape); !measured) {
        return measured.error();
    }
    return out;
}

}  // namespace starling::node

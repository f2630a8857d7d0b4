#include "gguf/slice.hpp"

#include "gguf/check.hpp"
#include "gguf/header_reader.hpp"
#include "gguf/slice_writer.hpp"
#include "gguf/split_rules.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace starling::gguf {

namespace {

constexpr std::string_view content_key = "starling.slice.content";
constexpr std::string_view first_layer_key = "starling.slice.first_layer";
constexpr std::string_view end_layer_key = "starling.slice.end_layer";
constexpr std::string_view layers_key = "starling.slice.layers";
constexpr std::string_view origin_prefix = "starling.slice.";
constexpr std::size_t content_digits = 64;
constexpr std::string_view layer_prefix = "blk.";

std::optional<std::int32_t> layer_number(const file_header& header, std::string_view key) {
    const value* found = header.find(key);
    const auto number = found != nullptr ? found->integer() : std::nullopt;
    return number && *number >= 0 && *number <= max_layers ? std::optional(static_cast<std::int32_t>(*number))
                                                           : std::nullopt;
}

// The layer of a tensor called blk.N.…, as the file counts; nothing for tensors of no layer.
result<std::optional<std::int32_t>> layer_of(std::string_view name, std::int32_t layers) {
    if (!name.starts_with(layer_prefix)) {
        return std::optional<std::int32_t>();
    }
    const std::string_view rest = name.substr(layer_prefix.size());
    std::int32_t layer = -1;
    const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), layer);
    const bool whole_number = failed == std::errc() && end != rest.data() + rest.size() && *end == '.' &&
                              (rest[0] != '0' || end == rest.data() + 1);
    if (!whole_number || layer < 0 || layer >= layers) {
        return fail(errc::corrupt, "the tensor '" + shown(name) + "' belongs to none of the model's " +
                                       std::to_string(layers) + " layers");
    }
    return std::optional(layer);
}

std::string shown_range(layer_range layers) {
    return std::to_string(layers.first) + ":" + std::to_string(layers.end);
}

// What a file holds: all layers, or those of a slice.
struct extent {
    layer_range held;  // counted in the whole
    std::int32_t of_layers = 0;
};

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

error cannot(const file_header& header, std::string_view why) {
    return fail(errc::cannot_split, "models of the architecture '" + shown(header.architecture()) +
                                        "' cannot be split: " + std::string(why));
}

// Layers that are trained to predict further tokens follow the others and are not run: they stay with the last.
std::int32_t prediction_layers(const file_header& header) {
    const value* found = header.find_for_architecture("nextn_predict_layers");
    const auto number = found != nullptr ? found->integer().value_or(0) : 0;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(number, 0, header.layers()));
}

// Makes the header of a slice, key by key and tensor by tensor.
class planner {
  public:
    planner(const file_header& from, extent whole, layer_range layers, std::string_view content)
        : from_(from),
          of_layers_(whole.of_layers),
          layers_(layers),
          local_{layers.first - whole.held.first, layers.end - whole.held.first},
          content_(content),
          first_(layers.first == 0),
          last_(layers.end == whole.of_layers) {}

    result<slice_plan> run();

  private:
    void copy_metadata();
    void add_origin();
    void add(std::string key, value v) { plan_.header.metadata.push_back({std::move(key), std::move(v)}); }
    value cut(std::string_view suffix, const value& whole) const;
    result<void> copy_tensors();
    result<void> copy_tensor(const tensor_info& tensor);
    void add_hole(const tensor_info& like, std::uint64_t rows);

    const file_header& from_;
    const std::int32_t of_layers_;
    const layer_range layers_;
    const layer_range local_;  // as from_ counts
    const std::string_view content_;
    const bool first_;
    const bool last_;
    std::string prefix_;  // of the architecture's keys
    slice_plan plan_;
};

result<slice_plan> planner::run() {
    prefix_ = std::string(from_.architecture()) + ".";
    plan_.header.alignment = from_.alignment;
    copy_metadata();
    add_origin();
    if (auto done = copy_tensors(); !done) {
        return done.error();
    }
    auto bytes = lay_out(plan_.header);
    if (!bytes) {
        return bytes.error();
    }
    plan_.header_bytes = std::move(*bytes);
    return std::move(plan_);
}

void planner::copy_metadata() {
    const std::string vocabulary_key = prefix_ + "vocab_size";
    for (const metadata_entry& entry : from_.metadata) {
        const std::string_view key = entry.key;
        if (key.starts_with(origin_prefix) || (!last_ && (key.starts_with("tokenizer.") || key == vocabulary_key))) {
            continue;
        }
        add(entry.key, key.starts_with(prefix_) ? cut(key.substr(prefix_.size()), entry.value) : entry.value);
    }
    if (!last_) {
        // The first stage is given numbers of tokens; the others, whose embeddings are replaced, only zeros.
        const auto tokens = first_ ? static_cast<std::uint32_t>(from_.vocabulary_size()) : 1U;
        add("tokenizer.ggml.model", value{std::string("none")});
        add(vocabulary_key, value{tokens});
    }
}

void planner::add_origin() {
    if (!content_.empty()) {
        add(std::string(content_key), value{std::string(content_)});
    }
    add(std::string(first_layer_key), value{static_cast<std::uint32_t>(layers_.first)});
    add(std::string(end_layer_key), value{static_cast<std::uint32_t>(layers_.end)});
    add(std::string(layers_key), value{static_cast<std::uint32_t>(of_layers_)});
}

// Values that count layers, or hold one number for each.
value planner::cut(std::string_view suffix, const value& whole) const {
    if (suffix == "block_count") {
        return value{static_cast<std::uint32_t>(layers_.size())};
    }
    if (suffix == "leading_dense_block_count") {
        const std::int64_t leading = whole.integer().value_or(0);
        return value{static_cast<std::uint32_t>(std::clamp<std::int64_t>(leading - local_.first, 0, max_layers))};
    }
    if (suffix == "nextn_predict_layers" && !last_) {
        return value{std::uint32_t{0}};
    }
    const auto* list = std::get_if<array>(&whole.held);
    const bool of_layers = list != nullptr && list->type() != value_type::string &&
                           static_cast<std::int64_t>(list->size()) == from_.layers() &&
                           suffix != "rope.dimension_sections";
    return of_layers ? value{list->part(static_cast<std::size_t>(local_.first), static_cast<std::size_t>(local_.end))}
                     : whole;
}

result<void> planner::copy_tensors() {
    for (const tensor_info& tensor : from_.tensors) {
        if (auto done = copy_tensor(tensor); !done) {
            return done;
        }
    }
    return {};
}

result<void> planner::copy_tensor(const tensor_info& tensor) {
    const auto layer = layer_of(tensor.name, static_cast<std::int32_t>(from_.layers()));
    if (!layer) {
        return layer.error();
    }
    if (*layer && (**layer < local_.first || **layer >= local_.end)) {
        return {};
    }
    const bool embeddings = tensor.name == "token_embd.weight";
    const bool head = tensor.name == "output.weight" || tensor.name == "output.bias";
    const bool tied = from_.find_tensor("output.weight") == nullptr;
    const std::uint64_t tokens = !last_ && !first_ ? 1 : static_cast<std::uint64_t>(from_.vocabulary_size());
    if ((embeddings || head) && tensor.shape[tensor.dimensions > 1 ? 1 : 0] < tokens) {
        return fail(errc::corrupt, "the tensor '" + shown(tensor.name) + "' has no place for each of the " +
                                       std::to_string(tokens) + " tokens of the vocabulary");
    }
    if ((embeddings && !first_ && !(last_ && tied)) || (head && !last_)) {
        add_hole(tensor, tokens);
        return {};
    }
    tensor_info copied = tensor;
    if (*layer) {
        const std::size_t dot = tensor.name.find('.', layer_prefix.size());
        copied.name = std::string(layer_prefix) + std::to_string(**layer - local_.first) + tensor.name.substr(dot);
    }
    plan_.header.tensors.push_back(std::move(copied));
    plan_.sources.emplace_back(from_.data_offset + tensor.offset);
    return {};
}

// Zeros in the place of a matrix that is loaded and never used, of a type that takes little memory where its rows allow
// it. llama.cpp must be able to compute with the type.
void planner::add_hole(const tensor_info& like, std::uint64_t rows) {
    constexpr tensor_type iq1_s = 19;
    tensor_info hole = like;
    const auto type_of = [](tensor_type type) { return *find_tensor_type(type); };
    const tensor_type_info small = type_of(iq1_s);
    const auto row_bytes = [&](const tensor_type_info& type) {
        return hole.shape[0] / type.block_elements * type.block_bytes;
    };
    if (hole.dimensions <= 1) {
        hole.shape[0] = rows;
        hole.bytes = row_bytes(type_of(hole.type));
    } else {
        hole.shape = {like.shape[0], rows, 1, 1};
        hole.dimensions = 2;
        if (hole.shape[0] % small.block_elements == 0 && row_bytes(small) < row_bytes(type_of(hole.type))) {
            hole.type = iq1_s;
        }
        hole.bytes = row_bytes(type_of(hole.type)) * rows;
    }
    plan_.header.tensors.push_back(std::move(hole));
    plan_.sources.emplace_back(std::nullopt);
}

}  // namespace

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

result<void> check_stage(const file_header& header, layer_range layers) {
    const auto held = extent_of(header);
    if (!held) {
        return held.error();
    }
    const split_rule* rule = find_split_rule(header.architecture());
    if (rule == nullptr) {
        return cannot(header, refusal(header.architecture()));
    }
    if (layers.first < held->held.first || layers.end > held->held.end || layers.first >= layers.end) {
        return fail(errc::cannot_split, "there are no layers " + shown_range(layers) + " in this file, which holds " +
                                            shown_range(held->held) + " of " + std::to_string(held->of_layers));
    }
    const bool last = layers.end == held->of_layers;
    if (!last && layers.end > held->of_layers - prediction_layers(header)) {
        return fail(errc::cannot_split, "the last " + std::to_string(prediction_layers(header)) +
                                            " layers predict further tokens and must stay with the one before them");
    }
    if (layers.first % rule->period != 0 || (!last && layers.end % rule->period != 0)) {
        return fail(errc::cannot_split, "the layers of this model repeat after " + std::to_string(rule->period) +
                                            ", so it can be cut only at multiples of that");
    }
    return {};
}

result<std::vector<std::int32_t>> legal_cuts(const file_header& whole) {
    const auto held = extent_of(whole);
    if (!held) {
        return held.error();
    }
    if (held->held.size() != held->of_layers) {
        return fail(errc::cannot_split, "this file is a slice of a model; the places to cut are those of the whole");
    }
    if (find_split_rule(whole.architecture()) == nullptr) {
        return cannot(whole, refusal(whole.architecture()));
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
    if (held->held.size() == held->of_layers) {
        return stage_seams{};
    }
    const split_rule* rule = find_split_rule(header.architecture());
    if (rule == nullptr) {
        return cannot(header, refusal(header.architecture()));
    }
    stage_seams seams;
    if (held->held.first > 0) {
        seams.inject = rule->inject;
    }
    if (held->held.end < held->of_layers) {
        seams.capture = std::string(rule->capture) + "-" + std::to_string(held->held.size() - 1);
    }
    return seams;
}

result<slice_plan> plan_slice(const file_header& from, layer_range layers, std::string_view content) {
    const auto held = extent_of(from);
    if (!held) {
        return held.error();
    }
    if (!content.empty() &&
        (content.size() != content_digits || content.find_first_not_of("0123456789abcdef") != std::string_view::npos)) {
        return fail(errc::cannot_split, "the hash of the whole model is not 64 hex digits");
    }
    if (auto done = check_stage(from, layers); !done) {
        return done.error();
    }
    const std::int64_t tokens = from.vocabulary_size();
    if (tokens < 1 || tokens > max_vocabulary) {
        return fail(errc::corrupt,
                    "the model has no vocabulary, or one of more than " + std::to_string(max_vocabulary) + " tokens");
    }
    return planner(from, *held, layers, content).run();
}

}  // namespace starling::gguf

#include "gguf/header_reader.hpp"
#include "gguf/slice_parts.hpp"
#include "gguf/slice_writer.hpp"

#include <algorithm>
#include <charconv>

namespace starling::gguf {

namespace {

constexpr std::size_t content_digits = 64;
constexpr std::string_view layer_prefix = "blk.";

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

// Makes the header of a slice, key by key and tensor by tensor.
class planner {
  public:
    planner(const file_header& from, const split_rule& rule, extent whole, layer_range layers, std::string_view content)
        : from_(from),
          rule_(rule),
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
    std::uint64_t tokens() const;
    bool is_left_out(std::string_view suffix) const;
    value cut(std::string_view suffix, const value& whole) const;
    value cut_list(std::string_view suffix, const array& list) const;
    result<void> copy_tensors();
    result<void> copy_tensor(const tensor_info& tensor);
    void add_hole(const tensor_info& like, std::uint64_t rows);

    const file_header& from_;
    const split_rule& rule_;
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
    const auto derived = derived_values(rule_, from_);
    const auto is_derived = [&](std::string_view key) {
        return std::any_of(derived.begin(), derived.end(), [&](const metadata_entry& e) { return e.key == key; });
    };
    for (const metadata_entry& entry : from_.metadata) {
        const std::string_view key = entry.key;
        const bool of_architecture = key.starts_with(prefix_);
        if (key.starts_with(origin_prefix) || key.starts_with("split.") || is_derived(key) ||
            (!last_ && (key.starts_with("tokenizer.") || key == vocabulary_key)) ||
            (of_architecture && is_left_out(key.substr(prefix_.size())))) {
            continue;
        }
        add(entry.key, of_architecture ? cut(key.substr(prefix_.size()), entry.value) : entry.value);
    }
    for (const metadata_entry& entry : derived) {
        add(entry.key, cut(std::string_view(entry.key).substr(prefix_.size()), entry.value));
    }
    if (!last_) {
        add("tokenizer.ggml.model", value{std::string("none")});
        add(vocabulary_key, value{static_cast<std::uint32_t>(tokens())});
    }
}

// The first stage is given numbers of tokens, and the last gives their logits. Those between are only given zeros,
// since their embeddings are replaced.
std::uint64_t planner::tokens() const {
    return first_ || last_ || rule_.other == quirk::own_head ? static_cast<std::uint64_t>(from_.vocabulary_size()) : 1;
}

// What images would be added to lies in other layers of the whole; and n-grams of tokens are looked up by the first
// stage alone.
bool planner::is_left_out(std::string_view suffix) const {
    return suffix == "n_deepstack_layers" || suffix == "deepstack_mapping" || (!first_ && suffix.starts_with("ple."));
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
    if (suffix == "leading_dense_block_count" || suffix == "hash_layer_count") {
        const auto leading = std::clamp<std::int64_t>(whole.integer().value_or(0), 0, max_layers);
        return value{static_cast<std::uint32_t>(std::max<std::int64_t>(leading - local_.first, 0))};
    }
    if (suffix == "nextn_predict_layers" && !last_) {
        return value{std::uint32_t{0}};
    }
    const auto* list = std::get_if<array>(&whole.held);
    return list != nullptr && list->type() != value_type::string ? cut_list(suffix, *list) : whole;
}

// Lists have an entry for each layer, or for each but those that predict further tokens; or they are of something else.
value planner::cut_list(std::string_view suffix, const array& list) const {
    const auto size = static_cast<std::int64_t>(list.size());
    if (list.empty() || (size != from_.layers() && size != run_layers(from_)) || suffix == "rope.dimension_sections" ||
        suffix.starts_with("ple.")) {
        return value{list};
    }
    array part = list.part(static_cast<std::size_t>(local_.first),
                           static_cast<std::size_t>(std::min<std::int64_t>(local_.end, size)));
    // llama.cpp takes the length of a head from the first layer, which may be one without heads.
    const bool headless = suffix == "attention.head_count" && rule_.recurrent != recurrence::none &&
                          list.integer_at(0).value_or(0) > 0 && part.integer_at(0).value_or(0) == 0;
    return value{headless ? list.part(0, 1).followed_by(part.part(1, part.size())) : std::move(part)};
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
    const bool elsewhere = *layer && (**layer < local_.first || **layer >= local_.end);
    if (elsewhere || (tensor.name == "per_layer_token_embd.weight" && !first_)) {
        return {};
    }
    const bool embeddings = tensor.name == "token_embd.weight";
    const bool head = tensor.name == "output.weight" || tensor.name == "output.bias";
    const bool tied = from_.find_tensor("output.weight") == nullptr;
    const std::uint64_t rows = tensor.shape[tensor.dimensions > 1 ? 1 : 0];
    const bool own_head = head && rule_.other == quirk::own_head;
    if ((embeddings || head) && !own_head && rows < tokens()) {
        return fail(errc::corrupt, "the tensor '" + shown(tensor.name) + "' has no place for each of the " +
                                       std::to_string(tokens()) + " tokens of the vocabulary");
    }
    if ((embeddings && !first_ && !(last_ && tied)) || (head && !last_)) {
        add_hole(tensor, own_head ? rows : tokens());
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
    constexpr tensor_type f32 = 0;
    constexpr tensor_type iq1_s = 19;
    tensor_info hole = like;
    const auto type_of = [](tensor_type type) { return *find_tensor_type(type); };
    const tensor_type_info small = type_of(iq1_s);
    const auto row_bytes = [&](const tensor_type_info& type) {
        return hole.shape[0] / type.block_elements * type.block_bytes;
    };
    if (hole.dimensions <= 1) {
        hole.shape[0] = rows;
        hole.type = type_of(hole.type).block_elements == 1 ? hole.type : f32;
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
    return planner(from, *find_split_rule(from.architecture()), *held, layers, content).run();
}

}  // namespace starling::gguf

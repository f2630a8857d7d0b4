#include "gguf/slice_parts.hpp"

#include <algorithm>

namespace starling::gguf {

namespace {

std::string shown_range(layer_range layers) {
    return std::to_string(layers.first) + ":" + std::to_string(layers.end);
}

// Whether layers can be a stage.
class stage_checker {
  public:
    stage_checker(const file_header& from, const split_rule& rule, layer_range local, bool first, bool last)
        : from_(from), rule_(rule), local_(local), first_(first), last_(last) {}

    result<void> run() const {
        for (auto step : {&stage_checker::place, &stage_checker::count, &stage_checker::kinds, &stage_checker::heads,
                          &stage_checker::shared_indexers, &stage_checker::token_layers}) {
            if (auto done = (this->*step)(); !done) {
                return done;
            }
        }
        return {};
    }

  private:
    static error cannot_be(const std::string& why) { return fail(errc::cannot_split, why); }
    // Those of the stage that are run; cut at the end of the file's.
    layer_range run_range() const { return {local_.first, std::min(local_.end, run_layers(from_))}; }

    result<void> place() const {
        const std::int32_t run = run_layers(from_);
        if (local_.first >= run || (!last_ && local_.end > run)) {
            return cannot_be("the last " + std::to_string(from_.layers() - run) +
                             " layers predict further tokens and must stay with the one before them");
        }
        const std::int32_t period = cut_period(rule_, from_);
        if (local_.first % period != 0 || (!last_ && local_.end % period != 0)) {
            return cannot_be("the layers of this model repeat after " + std::to_string(period) +
                             ", so that it can be cut only at multiples of that");
        }
        return {};
    }

    result<void> count() const {
        const std::int32_t layers = run_range().size();
        return is_usual_count(rule_, from_, layers)
                   ? result<void>()
                   : cannot_be("llama.cpp would take a stage of " + std::to_string(layers) +
                               " layers for another model, which has as many");
    }

    // llama.cpp keeps a memory for each kind of layer, and none of them may be empty.
    result<void> kinds() const {
        struct kind {
            std::vector<std::uint32_t> layers;
            const char* name;
        };
        for (const kind& k : {kind{window_layers(rule_, from_), "a sliding window"},
                              kind{recurrent_layers(rule_, from_), "a recurrent state"}}) {
            const auto has = [&](std::int32_t first, std::int32_t end, std::uint32_t which) {
                return std::find(k.layers.begin() + first, k.layers.begin() + end, which) != k.layers.begin() + end;
            };
            const auto run = static_cast<std::int32_t>(k.layers.size());
            for (const std::uint32_t which : {0U, 1U}) {
                if (has(0, run, which) && !has(local_.first, std::min(local_.end, run), which)) {
                    return cannot_be(std::string("every stage of this model needs a layer with ") + k.name +
                                     " and one without");
                }
            }
        }
        const auto needed = needed_layers(rule_, from_);
        const auto run = static_cast<std::int32_t>(needed.size());
        const auto is_needed = [](std::uint32_t which) { return which != 0; };
        if (std::any_of(needed.begin(), needed.end(), is_needed) &&
            std::none_of(needed.begin() + std::min(local_.first, run), needed.begin() + std::min(local_.end, run),
                         is_needed)) {
            return cannot_be("every stage of this model needs a layer of the kind that looks back furthest");
        }
        return {};
    }

    result<void> heads() const {
        return rule_.recurrent == recurrence::none && from_.heads(0) > 0 && from_.heads(local_.first) == 0
                   ? cannot_be("the first layer of a stage needs attention heads")
                   : result<void>();
    }

    // Some layers choose what to attend to, and those after them do as they did.
    result<void> shared_indexers() const {
        const value* types = from_.find_for_architecture("attention.indexer.types");
        const auto* list = types != nullptr ? std::get_if<array>(&types->held) : nullptr;
        if (list == nullptr || first_) {
            return {};
        }
        const auto windows = window_layers(rule_, from_);
        for (std::int32_t layer = local_.first; layer < local_.end; ++layer) {
            const auto i = static_cast<std::size_t>(layer);
            if (i < windows.size() && windows[i] != 0) {
                continue;
            }
            return i < list->size() && list->integer_at(i).value_or(1) == 0
                       ? cannot_be("the first layer of a stage needs an indexer of its own")
                       : result<void>();
        }
        return {};
    }

    // Layers that look at the numbers of the tokens.
    result<void> token_layers() const {
        if (first_) {
            return {};
        }
        const value* hashed = from_.find_for_architecture("hash_layer_count");
        std::int64_t end = hashed != nullptr ? std::min(hashed->integer().value_or(0), max_layers) : 0;
        const value* looked_up = from_.find_for_architecture("ple.layers");
        const auto* list = looked_up != nullptr ? std::get_if<array>(&looked_up->held) : nullptr;
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            end = std::max(end, std::min(list->integer_at(i).value_or(0), max_layers) + 1);
        }
        return local_.first < end
                   ? cannot_be("the first " + std::to_string(end) + " layers look at the tokens and must stay together")
                   : result<void>();
    }

    const file_header& from_;
    const split_rule& rule_;
    const layer_range local_;  // as the file counts
    const bool first_;
    const bool last_;
};

}  // namespace

result<void> check_stage(const file_header& header, layer_range layers) {
    const auto held = extent_of(header);
    if (!held) {
        return held.error();
    }
    const auto rule = rule_of(header, *held);
    if (!rule) {
        return rule.error();
    }
    if (layers.first < held->held.first || layers.end > held->held.end || layers.first >= layers.end) {
        return fail(errc::cannot_split, "there are no layers " + shown_range(layers) + " in this file, which holds " +
                                            shown_range(held->held) + " of " + std::to_string(held->of_layers));
    }
    if (layers.size() == held->of_layers) {
        return {};
    }
    return stage_checker(header, **rule, {layers.first - held->held.first, layers.end - held->held.first},
                         layers.first == 0, layers.end == held->of_layers)
        .run();
}

}  // namespace starling::gguf

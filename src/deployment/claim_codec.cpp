#include "deployment/claim_codec.hpp"

#include "base/hex.hpp"
#include "deployment/limits.hpp"
#include "wire/errc.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace starling::deployment {

namespace json = boost::json;
using wire::string_member;

namespace {

constexpr std::array states{announced_state::forming, announced_state::serving, announced_state::repairing,
                            announced_state::starved, announced_state::leaving, announced_state::retired};

error malformed(const char* what) {
    return fail(wire::errc::malformed, std::string("What a node says of a model it coordinates is damaged: ") + what);
}

/// Exactly, or nothing: a rounded term is another term.
template <class Number>
std::optional<Number> whole_member(const json::value& of, std::string_view name) {
    const json::value* found = wire::member(of, name);
    if (found == nullptr || !(found->is_int64() || found->is_uint64())) {
        return std::nullopt;
    }
    boost::system::error_code failed;
    const auto value = found->to_number<Number>(failed);
    return failed ? std::nullopt : std::optional<Number>(value);
}

std::uint32_t bounded_member(const json::value& of, std::string_view name, std::uint32_t most) {
    return std::min(whole_member<std::uint32_t>(of, name).value_or(0), most);
}

/// At most so many bytes, and never half a character of UTF-8.
std::string cut(std::string_view text, std::size_t most) {
    if (text.size() > most) {
        while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) {
            --most;
        }
        text = text.substr(0, most);
    }
    return std::string(text);
}

std::optional<stage> read_stage(const json::value& from) {
    const auto node = parse_node_id(string_member(from, "node"));
    const auto first = whole_member<std::uint32_t>(from, "first");
    const auto end = whole_member<std::uint32_t>(from, "end");
    if (!node || !first || !end || *first >= *end || *end > max_layers) {
        return std::nullopt;
    }
    return stage{*node, {*first, *end}};
}

want_record read_want(const json::value& from) {
    want_record out;
    if (const json::value* want = wire::member(from, "want")) {
        out.model = cut(string_member(*want, "model"), max_model_name_bytes);
        out.stages = bounded_member(*want, "stages", max_stages);
        out.context = bounded_member(*want, "context", max_context);
        out.slots = bounded_member(*want, "slots", max_slots);
    }
    return out;
}

bool is_key(std::string_view text) {
    std::array<std::uint8_t, key_characters / 2> bytes{};
    return text.size() == key_characters && from_hex(text, bytes);
}

}  // namespace

json::object to_json(const told_claim& from) {
    const announcement& what = from.what;
    json::array stages;
    for (std::size_t i = 0; i < std::min(what.stages.size(), max_stages); ++i) {
        const stage& one = what.stages[i];
        stages.push_back(
            json::object{{"node", to_string(one.node)}, {"first", one.layers.first}, {"end", one.layers.end}});
    }
    json::object out{{"model", from.model},
                     {"term", what.by.term},
                     {"coordinator", to_string(what.by.coordinator)},
                     {"epoch", what.by.epoch},
                     {"state", to_string(what.state)},
                     {"stages", std::move(stages)},
                     {"want", json::object{{"model", cut(what.want.model, max_model_name_bytes)},
                                           {"stages", what.want.stages},
                                           {"context", what.want.context},
                                           {"slots", what.want.slots}}}};
    if (!what.reason.empty()) {
        out["reason"] = cut(what.reason, max_reason_bytes);
    }
    return out;
}

result<told_claim> parse_claim(const json::value& from) {
    told_claim out;
    out.model = string_member(from, "model");
    if (!is_key(out.model)) {
        return malformed("the model's key is no content hash.");
    }
    const auto term = whole_member<term_number>(from, "term");
    const auto epoch = whole_member<epoch_number>(from, "epoch");
    const auto coordinator = parse_node_id(string_member(from, "coordinator"));
    if (!term || !epoch || !coordinator) {
        return malformed("the claim is not complete.");
    }
    out.what.by = {*term, *coordinator, *epoch};
    const auto state = string_member(from, "state");
    const auto known =
        std::find_if(states.begin(), states.end(), [&](announced_state one) { return state == to_string(one); });
    if (known == states.end()) {
        return fail(wire::errc::unsupported, "A node coordinates a model in a state that is not known here.");
    }
    out.what.state = *known;
    if (const json::array* stages = wire::array_member(from, "stages")) {
        if (stages->size() > max_stages) {
            return malformed("it has too many stages.");
        }
        for (const json::value& one : *stages) {
            const auto read = read_stage(one);
            if (!read) {
                return malformed("a stage has no node or no layers.");
            }
            out.what.stages.push_back(*read);
        }
    }
    out.what.want = read_want(from);
    out.what.reason = cut(string_member(from, "reason"), max_reason_bytes);
    return out;
}

}  // namespace starling::deployment

#include "remote/fields.hpp"

#include <cmath>
#include <limits>

namespace starling::remote {

namespace {

std::optional<std::int32_t> to_int(const json::value& from) {
    boost::system::error_code failed;
    const auto value = from.is_number() ? from.to_number<std::int32_t>(failed) : 0;
    return from.is_number() && !failed ? std::optional(value) : std::nullopt;
}

std::optional<float> to_float(const json::value& from) {
    boost::system::error_code failed;
    const auto value = from.is_number() ? from.to_number<double>(failed) : 0.0;
    constexpr double most = std::numeric_limits<float>::max();
    return from.is_number() && !failed && std::abs(value) <= most ? std::optional(static_cast<float>(value))
                                                                  : std::nullopt;
}

const json::value* at(const json::value& from, std::size_t index) {
    const auto* list = from.if_array();
    return list != nullptr && index < list->size() ? &(*list)[index] : nullptr;
}

}  // namespace

bool flag_member(const json::value& from, std::string_view name) {
    const auto* found = wire::member(from, name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::uint64_t unsigned_member(const json::value& from, std::string_view name) {
    const auto* found = wire::member(from, name);
    if (found == nullptr || !found->is_number()) {
        return 0;
    }
    boost::system::error_code failed;
    const auto value = found->to_number<std::uint64_t>(failed);
    return failed ? 0 : value;
}

std::optional<std::int32_t> optional_int_member(const json::value& from, std::string_view name) {
    const auto* found = wire::member(from, name);
    return found == nullptr ? std::nullopt : to_int(*found);
}

std::int32_t int_member(const json::value& from, std::string_view name, std::int32_t otherwise) {
    return optional_int_member(from, name).value_or(otherwise);
}

float float_member(const json::value& from, std::string_view name, float otherwise) {
    const auto* found = wire::member(from, name);
    return found == nullptr ? otherwise : to_float(*found).value_or(otherwise);
}

std::int32_t int_at(const json::value& from, std::size_t index) {
    const auto* found = at(from, index);
    return found == nullptr ? 0 : to_int(*found).value_or(0);
}

float float_at(const json::value& from, std::size_t index) {
    const auto* found = at(from, index);
    return found == nullptr ? 0.0F : to_float(*found).value_or(0.0F);
}

std::string text_at(const json::value& from, std::size_t index) {
    const auto* found = at(from, index);
    return found == nullptr ? std::string() : as_text(*found);
}

std::string as_text(const json::value& from) {
    const auto* text = from.if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::vector<engine::token_id> tokens_of(const json::value& list) {
    std::vector<engine::token_id> out;
    if (const auto* array = list.if_array()) {
        out.reserve(array->size());
        for (const json::value& one : *array) {
            out.push_back(to_int(one).value_or(engine::no_token));
        }
    }
    return out;
}

std::vector<engine::token_id> read_tokens(const json::value& from, std::string_view name) {
    const auto* found = wire::member(from, name);
    return found == nullptr ? std::vector<engine::token_id>() : tokens_of(*found);
}

result<json::value> parse_object(std::string_view text) {
    boost::system::error_code failed;
    json::value out = json::parse(text, failed);
    if (failed || !out.is_object()) {
        return fail(wire::errc::malformed, "A message from another node is no JSON object.");
    }
    return out;
}

}  // namespace starling::remote

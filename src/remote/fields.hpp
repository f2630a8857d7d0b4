// Reading and writing the fields of messages, for the two codecs beside this file.
#pragma once

#include "base/result.hpp"
#include "engine/types.hpp"
#include "wire/errc.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace starling::remote {

namespace json = boost::json;
using wire::string_member;

/// Enum values and how they are written.
template <class E, std::size_t N>
using names = std::array<std::pair<E, const char*>, N>;

template <class E, std::size_t N>
const char* name_of(const names<E, N>& all, E value) {
    for (const auto& [one, name] : all) {
        if (one == value) {
            return name;
        }
    }
    return all.front().second;
}

template <class E, std::size_t N>
E value_of(const names<E, N>& all, std::string_view text, E otherwise) {
    for (const auto& [one, name] : all) {
        if (text == name) {
            return one;
        }
    }
    return otherwise;
}

inline void put(json::object& into, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        into[name] = text;
    }
}

template <class T, class F>
void put_list(json::object& into, std::string_view name, const std::vector<T>& all, F to_value) {
    if (all.empty()) {
        return;
    }
    json::array list;
    list.reserve(all.size());
    for (const T& one : all) {
        list.push_back(to_value(one));
    }
    into[name] = std::move(list);
}

template <class T, class F>
std::vector<T> read_list(const json::value& from, std::string_view name, F read) {
    std::vector<T> out;
    if (const auto* list = wire::array_member(from, name)) {
        out.reserve(list->size());
        for (const json::value& one : *list) {
            out.push_back(read(one));
        }
    }
    return out;
}

bool flag_member(const json::value& from, std::string_view name);
std::uint64_t unsigned_member(const json::value& from, std::string_view name);
std::optional<std::int32_t> optional_int_member(const json::value& from, std::string_view name);
std::int32_t int_member(const json::value& from, std::string_view name, std::int32_t otherwise);
float float_member(const json::value& from, std::string_view name, float otherwise);

/// Elements of an array; 0 or empty when there is none of that kind.
std::int32_t int_at(const json::value& from, std::size_t index);
float float_at(const json::value& from, std::size_t index);
std::string text_at(const json::value& from, std::size_t index);
std::string as_text(const json::value& from);

std::vector<engine::token_id> tokens_of(const json::value& list);
std::vector<engine::token_id> read_tokens(const json::value& from, std::string_view name);

/// Error: wire::errc::malformed.
result<json::value> parse_object(std::string_view text);

}  // namespace starling::remote

#include "api/event_feed.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

namespace starling::api {

namespace json = boost::json;

namespace {

std::string text_without(const json::value& value, std::string_view field) {
    if (field.empty() || !value.is_object()) {
        return json::serialize(value);
    }
    json::object rest = value.get_object();
    rest.erase(field);
    return json::serialize(rest);
}

}  // namespace

void append_event(std::string& out, std::string_view name, std::string_view json_line) {
    out += "event: ";
    out += name;
    out += "\ndata: ";
    out += json_line;
    out += "\n\n";
}

void event_feed::whole(std::string& out, std::string_view name, const json::value& value,
                       std::string_view unless_only) {
    std::string now = text_without(value, unless_only);
    const auto [told, is_first] = told_.try_emplace(std::string(name));
    if (!is_first && told->second == now) {
        return;
    }
    append_event(out, name, unless_only.empty() ? now : json::serialize(value));
    told->second = std::move(now);
}

void event_feed::rows(std::string& out, std::string_view name, const json::array& all, std::string_view key) {
    const auto [table, is_first] = rows_.try_emplace(std::string(name));
    auto& before = table->second;
    std::map<std::string, std::string, std::less<>> after;
    std::string set;
    for (const json::value& row : all) {
        const json::string& id = row.get_object().at(key).get_string();
        std::string text = json::serialize(row);
        const auto known = before.find(std::string_view(id.data(), id.size()));
        if (known == before.end() || known->second != text) {
            set += (set.empty() ? "" : ",") + text;
        }
        after.insert_or_assign(std::string(id.data(), id.size()), std::move(text));
    }
    json::array gone;
    for (const auto& [id, text] : before) {
        if (!after.contains(id)) {
            gone.emplace_back(id);
        }
    }
    if (is_first || !set.empty() || !gone.empty()) {
        append_event(out, name, "{\"set\":[" + set + "],\"gone\":" + json::serialize(gone) + "}");
    }
    before = std::move(after);
}

}  // namespace starling::api

#include "api/event_feed.hpp"

#include <boost/json/serialize.hpp>

namespace starling::api {

namespace json = boost::json;

event_text::event_text(const json::value& value) : whole(json::serialize(value)), news(whole) {}

event_text::event_text(const json::object& value, std::string_view clock) : whole(json::serialize(value)) {
    json::object rest = value;
    rest.erase(clock);
    news = json::serialize(rest);
}

event_rows rows_by(std::string_view key, const json::array& all) {
    event_rows out;
    for (const json::value& row : all) {
        const json::string& id = row.get_object().at(key).get_string();
        out.insert_or_assign(std::string(id.data(), id.size()), json::serialize(row));
    }
    return out;
}

void append_event(std::string& out, std::string_view name, std::string_view json_line) {
    out += "event: ";
    out += name;
    out += "\ndata: ";
    out += json_line;
    out += "\n\n";
}

void event_feed::whole(std::string& out, std::string_view name, const event_text& value) {
    const auto [told, is_first] = told_.try_emplace(std::string(name));
    if (is_first || told->second != value.news) {
        append_event(out, name, value.whole);
        told->second = value.news;
    }
}

void event_feed::rows(std::string& out, std::string_view name, const event_rows& all) {
    const auto [table, is_first] = rows_.try_emplace(std::string(name));
    event_rows& before = table->second;
    std::string set;
    for (const auto& [id, text] : all) {
        const auto known = before.find(id);
        if (known == before.end() || known->second != text) {
            set += (set.empty() ? "" : ",") + text;
        }
    }
    json::array gone;
    for (const auto& [id, text] : before) {
        if (!all.contains(id)) {
            gone.emplace_back(id);
        }
    }
    if (is_first || !set.empty() || !gone.empty()) {
        append_event(out, name, "{\"set\":[" + set + "],\"gone\":" + json::serialize(gone) + "}");
        before = all;
    }
}

}  // namespace starling::api

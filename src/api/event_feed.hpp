// What one reader of /api/events has been told, so that only what differs is told again. Pure. Private to api.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <string_view>

namespace starling::api {

/// One server-sent event (WHATWG HTML, 9.2): its name and one line of data.
void append_event(std::string& out, std::string_view name, std::string_view json_line);

/// A value as text, made once for all readers. `news`: what has to differ for it to be told again.
struct event_text {
    explicit event_text(const boost::json::value& value);
    /// A change of the field `clock` alone is no news.
    event_text(const boost::json::object& value, std::string_view clock);

    std::string whole;
    std::string news;
};

/// The rows of a table as text, each under its key.
using event_rows = std::map<std::string, std::string, std::less<>>;

/// Every row is an object with a text field `key`.
event_rows rows_by(std::string_view key, const boost::json::array& all);

class event_feed {
  public:
    /// Appends the event `name` with the whole value, unless it is as it was.
    void whole(std::string& out, std::string_view name, const event_text& value);

    /// Appends the event `name` with {"set":[rows that are new or differ],"gone":[keys]}; nothing where all is as it
    /// was.
    void rows(std::string& out, std::string_view name, const event_rows& all);

  private:
    std::map<std::string, std::string, std::less<>> told_;
    std::map<std::string, event_rows, std::less<>> rows_;
};

}  // namespace starling::api

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

class event_feed {
  public:
    /// Appends the event `name` with the whole value, unless it is as it was. `unless_only`: a field whose change alone
    /// is no news.
    void whole(std::string& out, std::string_view name, const boost::json::value& value,
               std::string_view unless_only = {});

    /// Appends the event `name` with {"set":[rows that are new or differ],"gone":[keys]}; nothing where all is as it
    /// was. Every row is an object with a text field `key`.
    void rows(std::string& out, std::string_view name, const boost::json::array& all, std::string_view key);

  private:
    std::map<std::string, std::string, std::less<>> told_;
    std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> rows_;
};

}  // namespace starling::api

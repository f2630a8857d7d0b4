#include "api/about.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace starling::api {

namespace json = boost::json;

json::object about_json(const about_facts& of) {
    json::array versions;
    for (const part_version& one : of.versions) {
        versions.push_back(json::object{{"name", one.name}, {"version", one.version}});
    }
    json::array listens;
    for (const listening_place& one : of.listens) {
        listens.push_back(
            json::object{{"what", one.what}, {"protocol", one.protocol}, {"address", one.address}, {"who", one.who}});
    }
    json::array contacts;
    for (const contacted_place& one : of.contacts) {
        contacts.push_back(json::object{
            {"host", one.host}, {"why", one.why}, {"when", one.when == contact_time::now ? "now" : "when needed"}});
    }
    return {{"version", of.version},          {"versions", std::move(versions)},     {"platform", of.platform},
            {"data_dir", of.data_dir},        {"started_unix_s", of.started_unix_s}, {"listens", std::move(listens)},
            {"contacts", std::move(contacts)}};
}

void answer_about(call& call, const std::function<about_facts()>& about) {
    if (!about) {
        call.send_error(fail(engine::errc::unavailable, "This node has nothing to say about itself."));
        return;
    }
    call.send_json(json::serialize(about_json(about())));
}

}  // namespace starling::api

// /api/about: what runs here, where it listens, and whom it contacts, for people who want to see that for themselves.
// The values are given by node; no secret is among them.
#pragma once

#include "api/call.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace starling::api {

struct part_version {
    std::string name;
    std::string version;
};

struct listening_place {
    std::string what;
    std::string protocol;  // tcp, udp
    std::string address;   // "127.0.0.1:9337"
    std::string who;       // can reach it
};

enum class contact_time { now, when_needed };

struct contacted_place {
    std::string host;  // as "host:port"
    std::string why;
    contact_time when = contact_time::now;
};

struct about_facts {
    std::string version;
    std::vector<part_version> versions;  // of what it is made of
    std::string platform;
    std::string data_dir;
    std::int64_t started_unix_s = 0;
    std::vector<listening_place> listens;
    std::vector<contacted_place> contacts;
};

boost::json::object about_json(const about_facts& of);

/// 503 where the node has nothing to say.
void answer_about(call& call, const std::function<about_facts()>& about);

}  // namespace starling::api

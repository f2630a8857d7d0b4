#include "node/about.hpp"

#include "base/memory.hpp"
#include "base/size_text.hpp"
#include "discovery/discovery.hpp"
#include "discovery/lan_socket.hpp"
#include "fetch/fetch.hpp"
#include "llama/llama.hpp"
#include "node/mesh.hpp"
#include "node/own_addresses.hpp"
#include "quic/quic.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <boost/version.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;

namespace {

constexpr std::string_view this_machine = "programs on this machine";
constexpr std::string_view hub_scheme = "hf://";

/// "Linux 6.1.0 x86_64, 2 cores, 24.0 GB".
std::string platform_text() {
    utsname system{};
    std::string out = ::uname(&system) == 0 ? fmt::format("{} {} {}", system.sysname, system.release, system.machine)
                                            : std::string("unknown system");
    const unsigned cores = std::thread::hardware_concurrency();
    out += fmt::format(", {} {}", cores, cores == 1 ? "core" : "cores");
    if (const auto total = machine_memory().total; total != 0) {
        out += ", " + size_text(total);
    }
    return out;
}

std::vector<api::part_version> part_versions() {
    const auto quic = quic::versions();
    return {
        {.name = "llama.cpp", .version = llama::version()},
        {.name = "Boost",
         .version = fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100)},
        {.name = "ngtcp2", .version = quic.ngtcp2},
        {.name = "GnuTLS", .version = quic.gnutls},
        {.name = "libcurl", .version = fetch::library_version()}};
}

/// "hub.example:443"; empty where the URL is none. Never a user name or a password that it may have.
std::string host_of(const std::string& url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || parsed->host().empty()) {
        return {};
    }
    const std::string port = parsed->has_port()           ? std::string(parsed->port())
                             : parsed->scheme() == "http" ? "80"
                                                          : "443";
    return std::string(parsed->host()) + ":" + port;
}

api::listening_place api_place(const about_parts& of) {
    boost::system::error_code wrong;
    const std::string& bind = of.settings->bind;
    const auto address = asio::ip::make_address(bind == "localhost" ? "127.0.0.1" : bind, wrong);
    const bool is_here_alone = !wrong && address.is_loopback();
    return {.what = "API and console",
            .protocol = "tcp",
            .address = wrong ? bind + ":" + std::to_string(of.api_port) : address_text(address, of.api_port),
            .who = is_here_alone ? std::string(this_machine) : "machines that reach this one, with an API key"};
}

api::listening_place mesh_place(const mesh& in) {
    const auto& at = in.listens();
    std::string who = "members of the mesh, and who has an invite";
    if (!in.takes_newcomers()) {
        who = "nobody: members that this node has called answer here";
    } else if (at.address().is_loopback()) {
        who = this_machine;
    }
    return {.what = "other nodes",
            .protocol = "udp",
            .address = address_text(at.address(), at.port()),
            .who = std::move(who)};
}

std::string lan_group() {
    return fmt::format("{}:{}", discovery::group_v4, discovery::lan_port);
}

void add_hub(const about_parts& of, std::vector<api::contacted_place>& into) {
    std::string names;
    const auto add = [&](std::string_view reference) {
        if (reference.starts_with(hub_scheme) && names.find(reference) == std::string::npos) {
            names += (names.empty() ? "" : ", ") + std::string(reference);
        }
    };
    for (const std::string& one : of.settings->models) {
        add(one);
    }
    add(of.settings->draft);
    for (const route::model_status& one : of.models) {
        add(one.source);
    }
    if (!names.empty()) {
        into.push_back({.host = host_of(of.settings->hub_url),
                        .why = "hub that models were asked for from: " + names,
                        .when = api::contact_time::when_needed});
    }
}

}  // namespace

api::about_facts about_node(const about_parts& of) {
    api::about_facts out;
    out.version = STARLING_VERSION;
    out.versions = part_versions();
    out.platform = platform_text();
    out.data_dir = of.settings->data_dir.string();
    out.started_unix_s = of.started_unix_s;
    out.listens.push_back(api_place(of));
    if (of.members != nullptr) {
        out.listens.push_back(mesh_place(*of.members));
        out.contacts = of.members->contacted();
    }
    if (of.members != nullptr && of.settings->lan) {
        out.listens.push_back({.what = "nodes on the local network",
                               .protocol = "udp",
                               .address = lan_group(),
                               .who = "machines on the local network"});
        out.contacts.push_back({.host = lan_group(), .why = "finds nodes on the local network"});
    }
    if (!of.settings->upstream.empty()) {
        out.contacts.push_back({.host = host_of(of.settings->upstream),
                                .why = "server that answers for models named here",
                                .when = api::contact_time::when_needed});
    }
    add_hub(of, out.contacts);
    return out;
}

}  // namespace starling::node

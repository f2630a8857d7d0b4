// In a file of its own, so that a program that only connects does not link a node and its engine.
#include "admission/admission.hpp"
#include "sdk/connection.hpp"
#include "sdk/embedded_node.hpp"

#include <starling/client.hpp>

#include <utility>

namespace starling::sdk {

namespace {

settings::config settings_for(join_options options) {
    settings::config out;
    out.data_dir = std::move(options.data_dir);
    out.name = std::move(options.name);
    out.join = std::move(options.invite);
    out.port = 0;
    out.peer_port = 0;
    out.headless = true;
    return out;
}

}  // namespace

outcome<client> client::join(join_options options) {
    if (auto invite = admission::parse_invite(options.invite); !invite) {
        return error{.kind = error_kind::unauthorized, .message = invite.error().message};
    }
    if (options.data_dir.empty()) {
        return error{.kind = error_kind::invalid_request,
                     .message = "A node keeps its key in a folder; name one in join_options::data_dir."};
    }
    connect_options to;
    to.timeout = options.timeout;
    auto node = embedded_node::start(settings_for(std::move(options)), node::purpose::client, to.timeout);
    if (!node) {
        return node.error();
    }
    to.url = (*node)->api_url();
    auto opened = connection::open(to, std::move(*node));
    if (!opened) {
        return opened.error();
    }
    return client(std::move(*opened));
}

}  // namespace starling::sdk

// How two nodes get to know each other on a new connection. TLS has proven each one's key; here each shows its
// certificate, and until it has, nothing else that it sends is looked at. Whoever has no certificate may present an
// invite, and nothing more.
//
// On the first stream of the side that connected, a JSON message and its answer:
//   hello {version, oldest, software, mesh, certificate}  →  hello {…} | refused {code, message}
//   join {mesh, secret}                                   →  welcome {certificate} | refused {code, message}
//   ask {name, commitment}                                →  see ask.hpp
// After a welcome the newcomer says hello on its next stream. Called by: peers. Thread: the network executor.
#pragma once

#include "admission/admission.hpp"
#include "transport/transport.hpp"

#include <functional>
#include <memory>
#include <string>

namespace starling::peers {

using transport::awaitable;

/// What messages between nodes mean. Two nodes speak the lower of their versions, unless that is older than either
/// still understands.
inline constexpr int protocol_version = 1;
inline constexpr int oldest_protocol_version = 1;

/// What this node shows.
struct introduction {
    node_id mesh;
    admission::certificate certificate;
    std::string software;
};

/// What the other side has shown.
struct acquaintance {
    admission::certificate certificate;  // checked, and of the peer of this connection
    std::string software;
    int version = protocol_version;
};

/// May this certificate's subject be a member now? See admission::check.
using certificate_check = std::function<result<void>(const admission::certificate&)>;

/// A certificate for the bearer of an invite's secret. Errors: those of admission::invite_book::redeem.
using invite_redeemer =
    std::function<result<admission::certificate>(const admission::invite::secret_bytes& secret, const node_id& bearer)>;

/// The side that connected says hello. Errors: those of the transport; of `check`; admission::errc as the other side
/// says why it refused; wire::errc::unsupported when no version is spoken by both.
awaitable<result<acquaintance>> greet(std::shared_ptr<transport::connection> to, introduction self,
                                      certificate_check check);

class waiting_room;

/// The side that was connected to waits for the hello, or for an invite and then the hello. It does not wait long,
/// unless there is a room for those who ask without an invite, where a newcomer waits for a person's decision: up to
/// ask_patience, or until it leaves. Nothing else that it sends is looked at meanwhile. Without a room (null) whoever
/// asks is refused. The room outlives the call.
awaitable<result<acquaintance>> receive_greeting(std::shared_ptr<transport::connection> from, introduction self,
                                                 certificate_check check, invite_redeemer redeem,
                                                 waiting_room* room = nullptr);

/// Presents an invite to the node that wrote it. The certificate is for this node, of the invite's mesh, and signed.
/// Errors: those of the transport; admission::errc, as the other side says why not.
awaitable<result<admission::certificate>> ask_to_join(std::shared_ptr<transport::connection> inviter,
                                                      admission::invite invite, node_id self, certificate_check check);

}  // namespace starling::peers

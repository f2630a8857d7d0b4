// Asking a member to be let in, without an invite: a person there decides, by a code that both screens show.
//
// On a stream of the newcomer's, after TLS has proven both keys:
//   ask {name, commitment}  →  ask_nonce {nonce, mesh, name}
//   ask_reveal {nonce}      →  welcome {certificate} | refused {code, message}, when the person has decided
// and refused instead of any answer. See comparison_code.hpp for why it is these and in this order. Called by: peers.
// Thread: the network executor.
#pragma once

#include "admission/admission.hpp"
#include "peers/greeting_codec.hpp"
#include "peers/waiting_room.hpp"
#include "transport/message_stream.hpp"
#include "transport/transport.hpp"

#include <functional>
#include <memory>
#include <string>

namespace starling::peers {

using transport::awaitable;

/// Would this certificate's subject be a member of `mesh` now? See admission::check.
using certificate_check_for_mesh =
    std::function<result<void>(const node_id& mesh, const admission::certificate& given)>;

/// What the newcomer's person is told to compare. `mesh` and `member_name` are as the member says; the code covers the
/// mesh.
using code_shower = std::function<void(const std::string& code, const std::string& member_name, const node_id& mesh)>;

/// The newcomer's side. Shows the code when it is known, and waits up to ask_patience for the person at the member.
/// Cancelling it, or closing the connection, withdraws the request.
///
/// The certificate is of the mesh that was named, for this node and signed. It does not say that the other side was the
/// one that was meant: a stranger on the network can call itself by any name and let anybody into a mesh of its own.
/// So the caller uses it only when its own person has seen the same code on the member's screen. If that takes longer
/// than the greeting that follows may (10 s), it connects anew.
///
/// Errors: those of the transport; not_allowed, expired, full and others of admission::errc, as the member says why
/// not; forged; those of `check`.
awaitable<result<admission::certificate>> ask_to_be_admitted(std::shared_ptr<transport::connection> member,
                                                             node_id self, std::string name, code_shower on_code,
                                                             certificate_check_for_mesh check);

/// Who hears the request.
struct asked_member {
    node_id newcomer;  // as TLS has proven
    node_id self;
    node_id mesh;
    waiting_room* room = nullptr;  // null: takes no requests
};

/// The member's side, once `said` was received on `stream`, which outlives the call: what to answer in the end. It ends
/// at once when the newcomer leaves, or says more than it has to. Errors: not_allowed, when there is no room for
/// requests or the person refuses; full; forged, when the nonce is not the one that was committed to; expired; those
/// of the transport and of parse_greeting.
awaitable<result<admission::certificate>> hear_request(transport::message_stream* stream, ask said, asked_member here);

}  // namespace starling::peers

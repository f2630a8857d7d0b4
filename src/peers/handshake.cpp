#include "peers/handshake.hpp"

#include "peers/ask.hpp"
#include "peers/greeting_codec.hpp"
#include "peers/greeting_limits.hpp"
#include "transport/message_stream.hpp"
#include "wire/errc.hpp"

#include <algorithm>
#include <utility>

namespace starling::peers {

namespace {

using transport::message_stream;

constexpr int greetings = 2;  // an invite or a request, then the hello

hello hello_of(const introduction& self) {
    return {.version = protocol_version,
            .oldest = oldest_protocol_version,
            .software = self.software,
            .mesh = self.mesh,
            .certificate = self.certificate};
}

/// What a hello is worth: it is of our mesh, of the node that has sent it, and of a version that we speak.
result<acquaintance> judge(const hello& said, const node_id& by, const node_id& mesh, const certificate_check& check) {
    const int version = std::min(said.version, protocol_version);
    if (version < said.oldest || version < oldest_protocol_version) {
        return fail(wire::errc::unsupported,
                    "The two nodes run versions of Starling that do not understand each other (" + said.software +
                        " there); update the older one.");
    }
    if (said.mesh != mesh) {
        return fail(admission::errc::wrong_mesh, "The node belongs to another mesh (" + short_name(said.mesh) + "…).");
    }
    if (said.certificate.subject != by) {
        return fail(admission::errc::forged, "The certificate is of another node.");
    }
    if (auto fine = check(said.certificate); !fine) {
        return fine.error();
    }
    return acquaintance{.certificate = said.certificate, .software = said.software, .version = version};
}

/// Sends one greeting on a stream of its own, and gives the answer.
awaitable<result<greeting>> exchange(std::shared_ptr<transport::connection> whom, greeting what) {
    auto opened = co_await whom->open(soon());
    if (!opened) {
        co_return opened.error();
    }
    message_stream stream(std::move(*opened), greeting_bytes);
    auto sent = co_await stream.send(to_json(what), soon());
    if (!sent) {
        co_return sent.error();
    }
    auto answer = co_await stream.receive(soon());
    if (!answer) {
        co_return answer.error();
    }
    auto parsed = parse_greeting(*answer);
    if (parsed && std::holds_alternative<refused>(*parsed)) {
        co_return std::get<refused>(*parsed).why;
    }
    co_return parsed;
}

/// The certificate for an invite or for a request that a person has approved. `stream` outlives the call.
awaitable<result<admission::certificate>> admit(message_stream* stream, greeting said, asked_member here,
                                                invite_redeemer redeem) {
    if (auto* plea = std::get_if<ask>(&said)) {
        auto decided = co_await hear_request(stream, std::move(*plea), here);
        co_return decided;
    }
    const auto* wish = std::get_if<join>(&said);
    if (wish == nullptr) {
        co_return out_of_turn();
    }
    if (wish->mesh != here.mesh) {
        co_return fail(admission::errc::wrong_mesh, "The invite is of another mesh.");
    }
    co_return redeem(wish->secret, here.newcomer);
}

}  // namespace

awaitable<result<acquaintance>> greet(std::shared_ptr<transport::connection> to, introduction self,
                                      certificate_check check) {
    greeting ours(hello_of(self));
    auto answer = co_await exchange(to, std::move(ours));
    if (!answer) {
        co_return answer.error();
    }
    const auto* said = std::get_if<hello>(&*answer);
    if (said == nullptr) {
        co_return out_of_turn();
    }
    co_return judge(*said, to->peer(), self.mesh, check);
}

awaitable<result<acquaintance>> receive_greeting(std::shared_ptr<transport::connection> from, introduction self,
                                                 certificate_check check, invite_redeemer redeem, waiting_room* room) {
    for (int i = 0; i < greetings; ++i) {
        auto opened = co_await from->accept(soon());
        if (!opened) {
            co_return opened.error();
        }
        message_stream stream(std::move(*opened), greeting_bytes);
        auto message = co_await stream.receive(soon());
        if (!message) {
            co_return message.error();
        }
        auto said = parse_greeting(*message);
        if (!said) {
            co_return said.error();
        }
        if (const auto* theirs = std::get_if<hello>(&*said)) {
            auto known = judge(*theirs, from->peer(), self.mesh, check);
            const greeting answer = known ? greeting(hello_of(self)) : greeting(refused{known.error()});
            auto sent = co_await stream.send(to_json(answer), soon());
            stream.finish();
            if (!sent) {
                co_return sent.error();
            }
            co_return known;
        }
        if (!std::holds_alternative<join>(*said) && !std::holds_alternative<ask>(*said)) {
            co_return out_of_turn();
        }
        const asked_member here{
            .newcomer = from->peer(), .self = self.certificate.subject, .mesh = self.mesh, .room = room};
        auto admitted = co_await admit(&stream, std::move(*said), here, redeem);
        const greeting answer = admitted ? greeting(welcome{*admitted}) : greeting(refused{admitted.error()});
        auto sent = co_await stream.send(to_json(answer), soon());
        stream.finish();
        if (!admitted) {
            co_return admitted.error();
        }
        if (!sent) {
            co_return sent.error();
        }
    }
    co_return out_of_turn();
}

awaitable<result<admission::certificate>> ask_to_join(std::shared_ptr<transport::connection> inviter,
                                                      admission::invite invite, node_id self, certificate_check check) {
    greeting wish(join{.mesh = invite.mesh, .secret = invite.secret});
    auto answer = co_await exchange(inviter, std::move(wish));
    if (!answer) {
        co_return answer.error();
    }
    auto* given = std::get_if<welcome>(&*answer);
    if (given == nullptr) {
        co_return out_of_turn();
    }
    if (given->certificate.subject != self || given->certificate.mesh != invite.mesh) {
        co_return fail(admission::errc::forged, "The certificate that was given is not of this node and mesh.");
    }
    if (auto fine = check(given->certificate); !fine) {
        co_return fine.error();
    }
    co_return std::move(given->certificate);
}

}  // namespace starling::peers

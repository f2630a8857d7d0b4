#include "peers/ask.hpp"

#include "aio/together.hpp"
#include "peers/comparison_code.hpp"
#include "peers/greeting_limits.hpp"

#include <optional>
#include <utility>

namespace starling::peers {

namespace {

using admission::errc;
using transport::message_stream;

nonce draw_nonce() {
    nonce out{};
    keys::fill_random(out);
    return out;
}

/// The next message, of this type. A refusal is an error.
template <class Wanted>
awaitable<result<Wanted>> receive(message_stream* from, transport::steady_time deadline) {
    auto message = co_await from->receive(deadline);
    if (!message) {
        co_return message.error();
    }
    auto said = parse_greeting(*message);
    if (!said) {
        co_return said.error();
    }
    if (const auto* no = std::get_if<refused>(&*said)) {
        co_return no->why;
    }
    auto* wanted = std::get_if<Wanted>(&*said);
    if (wanted == nullptr) {
        co_return out_of_turn();
    }
    co_return std::move(*wanted);
}

awaitable<void> wait_for_decision(waiting_room::seat* seat, std::optional<result<admission::certificate>>* made) {
    auto decided = co_await seat->decision();
    made->emplace(std::move(decided));
}

/// A newcomer who waits has nothing more to say.
awaitable<void> wait_for_departure(message_stream* from, std::optional<error>* why) {
    auto more = co_await from->receive(transport::steady_time::max());
    why->emplace(more ? out_of_turn() : more.error());
}

}  // namespace

awaitable<result<admission::certificate>> ask_to_be_admitted(std::shared_ptr<transport::connection> member,
                                                             node_id self, std::string name, code_shower on_code,
                                                             certificate_check_for_mesh check) {
    auto opened = co_await member->open(soon());
    if (!opened) {
        co_return opened.error();
    }
    message_stream stream(std::move(*opened), greeting_bytes);
    const introduction_pair who{.newcomer = self, .member = member->peer()};
    const nonce ours = draw_nonce();
    const greeting plea(ask{.name = std::move(name), .commitment = commit_to(ours, who)});
    auto sent = co_await stream.send(to_json(plea), soon());
    if (!sent) {
        co_return sent.error();
    }
    auto theirs = co_await receive<ask_nonce>(&stream, soon());
    if (!theirs) {
        co_return theirs.error();
    }
    const greeting reveal(ask_reveal{.nonce = ours});
    sent = co_await stream.send(to_json(reveal), soon());
    if (!sent) {
        co_return sent.error();
    }
    on_code(comparison_code(who, theirs->mesh, ours, theirs->nonce), theirs->name, theirs->mesh);
    // A little longer than the member waits, so that it can still say that nobody came.
    auto given = co_await receive<welcome>(&stream, soon() + ask_patience);
    if (!given) {
        co_return given.error();
    }
    if (given->certificate.subject != self || given->certificate.mesh != theirs->mesh) {
        co_return fail(errc::forged, "The certificate that was given is not of this node and mesh.");
    }
    if (auto fine = check(theirs->mesh, given->certificate); !fine) {
        co_return fine.error();
    }
    co_return std::move(given->certificate);
}

awaitable<result<admission::certificate>> hear_request(message_stream* stream, ask said, asked_member here) {
    if (here.room == nullptr) {
        co_return fail(errc::not_allowed, "This node takes no requests to join; ask for an invite.");
    }
    waiting_room& room = *here.room;
    if (auto fine = room.begin(here.newcomer, std::chrono::steady_clock::now()); !fine) {
        co_return fine.error();
    }
    const nonce ours = draw_nonce();
    const greeting answer(ask_nonce{.nonce = ours, .mesh = here.mesh, .name = room.name()});
    auto sent = co_await stream->send(to_json(answer), soon());
    if (!sent) {
        co_return sent.error();
    }
    auto reveal = co_await receive<ask_reveal>(stream, soon());
    if (!reveal) {
        co_return reveal.error();
    }
    const introduction_pair who{.newcomer = here.newcomer, .member = here.self};
    if (commit_to(reveal->nonce, who) != said.commitment) {
        co_return fail(errc::forged, "The newcomer has not kept to the number that it had chosen.");
    }
    waiting_room::request request{.code = comparison_code(who, here.mesh, reveal->nonce, ours),
                                  .name = std::move(said.name),
                                  .who = here.newcomer,
                                  .since = std::chrono::steady_clock::now()};
    auto seat = room.enter(std::move(request));
    if (!seat) {
        co_return seat.error();
    }
    std::optional<result<admission::certificate>> decision;
    std::optional<error> left;
    auto deciding = wait_for_decision(seat->get(), &decision);
    auto leaving = wait_for_departure(stream, &left);
    co_await aio::first_of(std::move(deciding), std::move(leaving));
    if (decision) {
        co_return std::move(*decision);
    }
    co_return *left;
}

}  // namespace starling::peers

#include "node/newcomer.hpp"

#include "aio/together.hpp"
#include "base/unix_time.hpp"
#include "discovery/discovery.hpp"
#include "engine/errc.hpp"
#include "node/own_addresses.hpp"
#include "peers/ask.hpp"
#include "peers/comparison_code.hpp"
#include "transport/errc.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <chrono>
#include <utility>

namespace starling::node {

using std::chrono::steady_clock;
using transport::awaitable;

namespace {

constexpr auto connect_time = std::chrono::seconds(2);  // a local network answers within milliseconds

result<void> check_for(const node_id& mesh, const admission::certificate& given) {
    return admission::check(given, mesh, unix_time_s(), admission::revocation_list(mesh));
}

error cannot_confirm(std::string why) {
    return fail(engine::errc::invalid_request, std::move(why));
}

}  // namespace

newcomer::newcomer(parts with) : with_(std::move(with)), heard_(with_.network), answered_(with_.network) {}

awaitable<result<newcomer::admitted>> newcomer::run(transport::endpoint* through) {
    discovery::lan_options how;
    how.name = with_.name;
    how.listens = through->local();
    auto finder = discovery::lan_discovery::create(with_.network, with_.self, std::move(how),
                                                   [this](const discovery::sighting& one) {
                                                       table_.heard(one, steady_clock::now());
                                                       heard_.notify();
                                                   });
    if (!finder) {
        co_return finder.error();
    }
    with_.log->info("in no mesh yet: looking on the local network for a member to ask");
    std::optional<admitted> outcome;
    auto finding = (*finder)->run();
    auto asking = run_ask_loop(through, &outcome);
    co_await aio::first_of(std::move(finding), std::move(asking));
    co_return std::move(*outcome);  // finding does not end by itself
}

awaitable<void> newcomer::run_ask_loop(transport::endpoint* through, std::optional<admitted>* outcome) {
    while (!*outcome) {
        auto whom = table_.take(steady_clock::now());
        if (!whom) {
            co_await heard_.wait_until(table_.next_due());
            continue;
        }
        auto member = co_await connect(through, *whom);
        if (!member) {
            with_.log->debug("{} cannot be asked: {}", short_name(whom->node), member.error().message);
            continue;
        }
        auto given = co_await ask(*member, *whom);
        (*member)->close("has asked");
        if (!given) {
            conclude(*whom, given.error());
            continue;
        }
        peers::contact by{.id = whom->node, .addresses = {}};
        for (const transport::address& place : whom->places) {
            by.addresses.push_back(address_text(place.address(), place.port()));
        }
        outcome->emplace(admitted{.certificate = std::move(*given), .by = std::move(by)});
    }
}

awaitable<result<std::shared_ptr<transport::connection>>> newcomer::connect(transport::endpoint* through,
                                                                            asking_table::candidate whom) {
    result<std::shared_ptr<transport::connection>> made = fail(transport::errc::unreachable, "It was heard nowhere.");
    for (const transport::address& place : whom.places) {
        made = co_await through->connect(place, whom.node, steady_clock::now() + connect_time);
        if (made) {
            break;
        }
    }
    co_return made;
}

awaitable<result<admission::certificate>> newcomer::ask(std::shared_ptr<transport::connection> member,
                                                        asking_table::candidate whom) {
    through_ = member;
    answer_ = answer::none;
    was_shown_ = false;
    const auto until = steady_clock::now() + peers::ask_patience;
    auto on_code = [this, whom](const std::string& code, const std::string& name, const node_id& mesh) {
        show(code, name, mesh, whom);
    };
    auto given = co_await peers::ask_to_be_admitted(member, with_.self.id(), with_.name, std::move(on_code), check_for);
    // Without a code that was shown nobody here can have compared it, whatever a stranger may send.
    if (given && !request_) {
        given = fail(admission::errc::forged, "It is not of the mesh that it has announced.");
    } else if (given) {
        request_->approved = true;
        auto here = co_await person_here(until);
        if (!here) {
            given = here.error();
        }
    }
    end_request();
    co_return given;
}

/// Waits for the answer of the person here; the member's has come.
awaitable<result<void>> newcomer::person_here(transport::steady_time until) {
    if (answer_ == answer::none) {
        with_.log->info("\"{}\" has approved; it remains to confirm here that its code is {}", request_->member,
                        request_->code);
    }
    while (answer_ == answer::none) {
        const bool in_time = co_await answered_.wait_until(until);
        if (!in_time && answer_ == answer::none) {
            co_return fail(admission::errc::expired, "Nobody here has confirmed the code in time.");
        }
    }
    if (answer_ == answer::another) {
        co_return fail(admission::errc::not_allowed, "The codes are not the same.");
    }
    co_return result<void>();
}

void newcomer::show(const std::string& code, const std::string& member, const node_id& mesh,
                    const asking_table::candidate& whom) {
    if (discovery::tag_of(mesh) != whom.mesh) {
        through_->close("another mesh");  // than it has announced
        return;
    }
    was_shown_ = true;
    request_ =
        api::own_request{.code = code, .member = member, .member_id = to_string(whom.node), .mesh_id = to_string(mesh)};
    with_.log->info("asks \"{}\" ({}) to be let into mesh {}; the code is {}", member, short_name(whom.node),
                    short_name(mesh), code);
    if (with_.observer.on_asked) {
        with_.observer.on_asked(*request_);
    }
}

void newcomer::end_request() {
    through_.reset();
    const auto ended = std::exchange(request_, std::nullopt);
    if (ended && with_.observer.on_ask_ended) {
        with_.observer.on_ask_ended(*ended);
    }
}

/// What to do after an attempt that has brought nothing.
void newcomer::conclude(const asking_table::candidate& whom, const error& why) {
    const std::string who = short_name(whom.node);
    if (answer_ == answer::another) {
        table_.declined(whom.node);
        with_.log->warn("{} is not asked any more, since its code is another one; looking for other members", who);
    } else if (was_shown_ && why == admission::errc::not_allowed) {
        table_.refused_by(whom.mesh);
        with_.log->warn(
            "not in a mesh: {} Its mesh is not asked again before this node is restarted; an invite also lets it in "
            "(--join).",
            why.message);
    } else {
        table_.put_off(whom.node, steady_clock::now());
        with_.log->info("{} did not let this node in: {} Others, and later this one, are asked.", who, why.message);
    }
}

result<void> newcomer::confirm(std::string_view code, bool is_same) {
    if (!request_) {
        return cannot_confirm("This node asks nobody to be let in now, so there is no code to compare.");
    }
    if (!is_same) {
        answer_ = answer::another;
        through_->close("withdrawn");
    } else if (!code.empty() && peers::digits_of(code) != peers::digits_of(request_->code)) {
        return cannot_confirm(
            fmt::format("This node shows {}, which is another code. If {} is what the member's screen shows, it is not "
                        "the one that "
                        "answers here: do not join, and say so with `starling peers confirm --no`.",
                        request_->code, peers::digits_of(code)));
    } else if (answer_ != answer::another) {
        answer_ = answer::same;
        request_->confirmed = true;
    }
    answered_.notify();
    return {};
}

}  // namespace starling::node

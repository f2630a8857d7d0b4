#include "node/mesh.hpp"

#include "aio/pause.hpp"
#include "base/unix_time.hpp"
#include "node/log_bugs.hpp"
#include "node/mesh_socket.hpp"
#include "node/node_key.hpp"
#include "node/own_addresses.hpp"
#include "pipeline/pipeline.hpp"
#include "quic/quic.hpp"
#include "remote/remote.hpp"
#include "settings/errc.hpp"

#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace starling::node {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr auto connect_time = std::chrono::seconds(3);
constexpr auto first_retry = std::chrono::milliseconds(250);
constexpr auto longest_retry = std::chrono::milliseconds(5'000);
constexpr auto keep_every = std::chrono::seconds(2);  // contacts are looked at for changes worth keeping

std::filesystem::path memory_path(const settings::config& settings) {
    return settings.data_dir / "mesh.json";
}

error not_taken(const error& why) {
    return fail(errc::mesh, "The mesh did not take this node: " + why.message);
}

}  // namespace

mesh::mesh(mesh_parts with, std::unique_ptr<transport::endpoint> endpoint, bool takes_newcomers)
    : with_(std::move(with)),
      endpoint_(std::move(endpoint)),
      listens_(endpoint_->local()),
      takes_newcomers_(takes_newcomers),
      lan_({.network = with_.network,
            .settings = with_.settings,
            .self = with_.self,
            .observer = with_.asking,
            .log = with_.log}),
      directory_(
          with_.network, with_.self.id(), *with_.table, [this] { return health(); },
          [this](std::string_view) { consider_standby(); }),
      split_models_(parts_of_splits(), *with_.store, with_.on_heir),
      dispatcher_(with_.network, directory_,
                  dispatch::options{.worker_wait = std::chrono::seconds(with_.settings->worker_wait_s),
                                    .stall_timeout = std::chrono::seconds(with_.settings->stall_timeout_s)},
                  with_.seed,
                  [log = with_.log](const dispatch::decision& one) {
                      if (one.resumed_at >= 0) {
                          log->warn("{}: goes on after {} tokens at {} ({})", one.request_id, one.resumed_at,
                                    one.node.substr(0, 8), one.cause);
                      } else {
                          log->debug("{}: {} → {}", one.request_id, one.model, one.reason);
                      }
                  }),
      tasks_(with_.network, log_bugs(with_.log, "the mesh")) {
    if (takes_newcomers) {
        addresses_ = own_addresses(listens_);
    }
}

mesh::~mesh() = default;

result<std::unique_ptr<mesh>> mesh::create(mesh_parts with) {
    auto remembered = load_mesh(memory_path(*with.settings));
    if (!remembered) {
        return remembered.error();
    }
    std::optional<admission::invite> invite;
    if (!with.settings->join.empty()) {
        auto parsed = admission::parse_invite(with.settings->join);
        if (!parsed) {
            return fail(settings::errc::wrong_usage, parsed.error().message);
        }
        invite = std::move(*parsed);
    }
    std::vector<std::string> others = invite ? invite->addresses : std::vector<std::string>();
    if (*remembered) {
        for (const peers::contact& one : (*remembered)->contacts) {
            others.insert(others.end(), one.addresses.begin(), one.addresses.end());
        }
    }
    const bool asks = with.settings->ask && !*remembered;
    auto socket = open_mesh_socket(with.network, *with.settings, with.self, others,
                                   asks ? reach::anyone : reach::others, *with.log);
    if (!socket) {
        return socket.error();
    }
    std::unique_ptr<mesh> made(new mesh(std::move(with), std::move(socket->endpoint), socket->takes_newcomers));
    if (auto ready = made->prepare(std::move(*remembered), std::move(invite)); !ready) {
        return ready.error();
    }
    return made;
}

result<void> mesh::prepare(std::optional<mesh_memory> remembered, std::optional<admission::invite> invite) {
    const auto& settings = *with_.settings;
    if (invite && invite->inviter == with_.self.id()) {
        return fail(errc::mesh, "This node has written that invite itself; use it on another machine.");
    }
    if (settings.ask && !remembered) {
        asks_ = true;
        return {};
    }
    if (settings.ask) {
        with_.log->info(
            "--ask is ignored: this node is in mesh {} already; to leave that one for good, stop the node and remove "
            "mesh.json and mesh.key in {}",
            short_name(remembered->certificate.mesh), settings.data_dir.string());
    }
    // A service is started with the same invite each time; another one is to be used, be it for another role or after
    // a revocation.
    const bool known = invite && remembered && remembered->joined_with == fingerprint(*invite) &&
                       remembered->certificate.expires_s > unix_time_s();
    if (invite && !known) {
        joining_ = std::move(invite);
        return {};
    }
    const auto root_file = settings.data_dir / "mesh.key";
    std::error_code unknown;
    if (!remembered && with_.role == admission::role::client) {
        return fail(errc::mesh,
                    "A client needs a mesh: add --join INVITE; `starling invite` prints one where a node runs.");
    }
    if (!remembered || std::filesystem::exists(root_file, unknown)) {
        auto root = load_or_create_key(root_file);
        if (!root) {
            return root.error();
        }
        if (!remembered || remembered->certificate.mesh == root->id()) {
            root_ = *root;
        }
    }
    memory_ = remembered ? std::move(*remembered) : mesh_memory();
    if (root_) {
        admission::certificate own;
        own.subject = with_.self.id();
        own.role = admission::role::worker;
        own.may_admit = true;
        own.issued_s = unix_time_s();
        own.expires_s = unix_time_s() + certificate_s;
        memory_->certificate = admission::issue(*root_, own);
    }
    const admission::certificate& mine = memory_->certificate;
    if (mine.subject != with_.self.id()) {
        return fail(errc::data_dir, memory_path(settings).string() +
                                        " is of another node; it and node.key belong together. Restore both, or remove "
                                        "it and join again with --join.");
    }
    if (mine.expires_s <= unix_time_s()) {
        return fail(errc::mesh,
                    "The membership of this node has expired; ask for a new invite, and start it with --join.");
    }
    if (with_.role == admission::role::worker && mine.role == admission::role::client) {
        return fail(errc::mesh,
                    "This node was invited as a client, which serves no models; run `starling client`, or join with a "
                    "worker's invite (starling invite --role worker).");
    }
    return {};
}

void mesh::start() {
    if (joining_) {
        tasks_.spawn(run_join(*joining_));
    } else if (asks_) {
        tasks_.spawn(run_ask());
    } else {
        begin();
    }
}

asio::awaitable<void> mesh::stop() {
    stopping_ = true;
    directory_.changed().notify();
    co_await split_models_.stop();
    if (service_) {
        static_cast<void>(save());
        directory_.attach(nullptr);
        co_await service_->stop();
    } else {
        endpoint_->stop();
    }
    tasks_.cancel();
    co_await tasks_.join();
}

asio::awaitable<result<admission::certificate>> mesh::ask_inviter(admission::invite with) {
    result<admission::certificate> outcome = fail(errc::mesh, "The invite has no address that this node understands.");
    for (const std::string& text : with.addresses) {
        const auto where = peers::parse_address(text);
        if (!where) {
            continue;
        }
        auto made = co_await endpoint_->connect(*where, with.inviter, steady_clock::now() + connect_time);
        if (!made) {
            outcome = made.error();
            continue;
        }
        auto check = [&with](const admission::certificate& of) {
            return admission::check(of, with.mesh, unix_time_s(), admission::revocation_list(with.mesh));
        };
        outcome = co_await peers::ask_to_join(*made, with, with_.self.id(), std::move(check));
        (*made)->close("has asked");
        if (outcome || outcome.error().code.category() == enum_category<admission::errc>::instance()) {
            break;
        }
    }
    co_return outcome;
}

asio::awaitable<void> mesh::run_join(admission::invite with) {
    auto wait = first_retry;
    for (;;) {
        auto given = co_await ask_inviter(with);
        if (given) {
            if (with_.role == admission::role::worker && given->role == admission::role::client) {
                with_.on_refused(
                    fail(errc::mesh, "The invite is for a client; run `starling client --join …` with it."));
                co_return;
            }
            enter(std::move(*given), {.id = with.inviter, .addresses = with.addresses});
            co_return;
        }
        if (given.error().code.category() == enum_category<admission::errc>::instance()) {
            with_.on_refused(not_taken(given.error()));
            co_return;
        }
        with_.log->warn("not in the mesh yet: {} Trying again.", given.error().message);
        co_await aio::pause(wait);
        wait = std::min(wait * 2, longest_retry);
    }
}

void mesh::enter(admission::certificate given, peers::contact by) {
    memory_ = mesh_memory();
    memory_->certificate = std::move(given);
    memory_->joined_with = joining_ ? fingerprint(*joining_) : std::string();
    memory_->contacts.push_back(std::move(by));
    if (auto saved = save(); !saved) {
        with_.on_refused(saved.error());
        return;
    }
    begin();
}

void mesh::begin() {
    peers::setup setup{.endpoint = std::move(endpoint_), .self = with_.self};
    setup.said.name = with_.settings->name;
    setup.said.software = STARLING_VERSION;
    setup.said.addresses = addresses_;
    setup.said.certificate = memory_->certificate;
    setup.contacts = memory_->contacts;
    setup.revoked = memory_->revoked;
    setup.room = open_room();
    setup.seed = with_.seed;
    auto made = peers::service::create(with_.network, std::move(setup), make_hooks());
    if (!made) {
        with_.on_refused(made.error());
        return;
    }
    service_ = std::move(*made);
    directory_.attach(service_.get());
    service_->start();
    split_models_.start();
    tasks_.spawn(run_keep_loop());
    find_members();
    const auto mesh_name = short_name(memory_->certificate.mesh);
    if (memory_->contacts.empty()) {
        with_.log->debug("alone in mesh {}, found at {}", mesh_name, fmt::join(addresses_, ", "));
    } else if (addresses_.empty()) {
        with_.log->info("in mesh {}; other nodes cannot open connections to this one (--peer-bind would let them)",
                        mesh_name);
    } else {
        with_.log->info("in mesh {}, found at {}", mesh_name, fmt::join(addresses_, ", "));
    }
}

peers::hooks mesh::make_hooks() {
    peers::hooks calls;
    calls.status = [this] { return status(); };
    calls.serve = [this](transport::message_stream stream, std::string first, node_id from) {
        if (pipeline::begins_stage_stream(first)) {
            return split_models_.serve_stage(std::move(stream), std::move(first), from);
        }
        return remote::serve(std::move(stream), std::move(first),
                             [this](std::string_view model) { return find_here(model); });
    };
    calls.redeem = [this](const admission::invite::secret_bytes& secret, const node_id& bearer) {
        return admit(secret, bearer);
    };
    calls.on_revocation = [this](const admission::revocation& heard) {
        memory_->invites.forget(heard.subject);
        if (auto saved = save(); !saved) {
            with_.log->error("{}", saved.error().message);
        }
    };
    calls.on_changed = [this] {
        for (const peers::peer_view& one : directory_.serving()) {
            for (const peers::told_model& model : one.status->models) {
                if (met_.size() < route::max_wanted_models) {
                    met_.insert_or_assign(model.info.id, model.info);
                }
            }
        }
        directory_.refresh();
        consider_standby();
        split_models_.members_changed();
    };
    calls.on_event = [this](const peers::event& what) { on_event(what); };
    calls.on_bug = log_bugs(with_.log, "the mesh");
    return calls;
}

split_parts mesh::parts_of_splits() {
    split_parts out{.network = with_.network, .settings = with_.settings, .self = with_.self.id()};
    out.log = with_.log;
    out.seed = with_.seed;
    out.members = [this] { return service_.get(); };
    out.whole_models_bytes = [this] { return whole_models_bytes(); };
    out.whole_model_bytes = [this](const std::string& content) { return whole_model_bytes(content); };
    out.shares = with_.shares;
    out.status_changed = [this] {
        if (service_) {
            service_->status_changed();
        }
    };
    return out;
}

/// What the models take that are computed here and not cut.
std::uint64_t mesh::whole_models_bytes() const {
    std::uint64_t sum = 0;
    for (const route::model_status& one : with_.table->snapshot(steady_clock::now())) {
        const bool is_split = std::any_of(splits_.begin(), splits_.end(), [&](const auto& id) { return id == one.id; });
        sum += one.generator && !is_split ? one.generator->info().size_bytes : 0;
    }
    return sum;
}

std::uint64_t mesh::whole_model_bytes(const std::string& content) const {
    for (const route::model_status& one : with_.table->snapshot(steady_clock::now())) {
        const bool is_split = std::any_of(splits_.begin(), splits_.end(), [&](const auto& id) { return id == one.id; });
        if (one.generator && !is_split && one.content == content) {
            return one.generator->info().size_bytes;
        }
    }
    return 0;
}

void mesh::on_event(const peers::event& what) {
    const std::string who = what.name.empty() ? short_name(what.id) : what.name + " (" + short_name(what.id) + ")";
    switch (what.kind) {
        case peers::event_kind::connected:
            if (!service_->is_removed()) {
                removed_.clear();  // the clock of whoever said so was wrong
            }
            with_.log->info("{} is connected", who);
            break;
        case peers::event_kind::lost: with_.log->info("{} is gone: {}", who, what.detail); break;
        case peers::event_kind::not_reached: with_.log->debug("{} is not reached at {}", who, what.detail); break;
        case peers::event_kind::refused: with_.log->warn("{}: refused: {}", who, what.detail); break;
        case peers::event_kind::changed_state: with_.log->debug("{} is {}", who, what.detail); break;
        case peers::event_kind::revoked: with_.log->warn("{} is no member any more", who); break;
        case peers::event_kind::self_revoked:
            removed_ = what.detail;
            with_.log->error(
                "The mesh does not take this node any more: {} It serves its own clients alone; to come "
                "back, start it with --join and a new invite.",
                what.detail);
            break;
    }
}

asio::awaitable<void> mesh::run_keep_loop() {
    for (;;) {
        co_await aio::pause(keep_every);
        auto now = service_->contacts();
        const auto by_id = [](const peers::contact& a, const peers::contact& b) { return a.id < b.id; };
        std::sort(now.begin(), now.end(), by_id);
        const auto same = [](const peers::contact& a, const peers::contact& b) {
            return a.id == b.id && a.addresses == b.addresses;
        };
        const auto& kept = memory_->contacts;
        if (!std::equal(now.begin(), now.end(), kept.begin(), kept.end(), same)) {
            memory_->contacts = std::move(now);
            if (auto saved = save(); !saved) {
                with_.log->warn("{}", saved.error().message);
            }
        }
        consider_standby();
    }
}

result<void> mesh::save() {
    if (service_) {
        memory_->revoked = service_->revocations();
    }
    return save_mesh(memory_path(*with_.settings), *memory_);
}

std::string mesh::id() const {
    return service_ ? to_string(memory_->certificate.mesh) : std::string();
}

}  // namespace starling::node

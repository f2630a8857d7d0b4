#include "discovery/discovery.hpp"

#include "aio/together.hpp"
#include "aio/wake_up.hpp"
#include "discovery/lan_socket.hpp"
#include "keys/digest.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace starling::discovery {

namespace {

namespace asio = boost::asio;

constexpr int datagrams_in_a_row = 64;  // then others on the executor get their turn

moment now() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return {.steady = std::chrono::steady_clock::now(),
            .unix_s = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count()};
}

std::uint64_t random_seed() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    keys::fill_random(bytes);
    std::uint64_t out = 0;
    std::memcpy(&out, bytes.data(), bytes.size());
    return out;
}

announcement announcement_of(const lan_options& from) {
    return {.kind = from.mesh ? beacon_kind::member : beacon_kind::seeking,
            .mesh = from.mesh ? tag_of(*from.mesh) : mesh_tag{},
            .port = from.listens.port(),
            .name = from.name};
}

class driver final : public lan_discovery {
  public:
    driver(const asio::any_io_executor& executor, const keys::key_pair& keys, lan_options options, sink on_found,
           std::vector<lan_socket> sockets)
        : executor_(executor),
          keys_(keys),
          options_(std::move(options)),
          on_found_(std::move(on_found)),
          sockets_(std::move(sockets)),
          table_(keys_.id(), announcement_of(options_), now().steady, random_seed()),
          due_changed_(executor) {}

    awaitable<void> run() override {
        std::vector<awaitable<void>> loops;
        if (options_.presence == presence::announced) {
            loops.push_back(run_announce_loop());
        }
        loops.push_back(run_interface_loop());
        for (lan_socket& one : sockets_) {
            loops.push_back(run_hear_loop(&one));
        }
        auto all = aio::all_of(std::move(loops));
        co_await std::move(all);
    }

    void belong_to(std::optional<node_id> mesh) override {
        options_.mesh = mesh;
        table_.announce(announcement_of(options_), now().steady);
        due_changed_.notify();
    }

    /// True when there is an interface that was not used before.
    bool look_for_interfaces() {
        const auto usable = reachable_on(list_interfaces(), options_.listens);
        bool more = false;
        for (lan_socket& one : sockets_) {
            more = one.use(usable) || more;
        }
        return more;
    }

    bool can_be_heard() const {
        return std::any_of(sockets_.begin(), sockets_.end(), [](const auto& one) { return one.interfaces() > 0; });
    }

  private:
    awaitable<void> run_announce_loop() {
        for (;;) {
            const bool woken = co_await due_changed_.wait_until(table_.next_due());
            const moment at = now();
            if (!woken || table_.next_due() <= at.steady) {
                const auto datagram = encode(table_.take_due(at), keys_);
                for (lan_socket& one : sockets_) {
                    one.send(datagram);
                }
            }
        }
    }

    awaitable<void> run_interface_loop() {
        asio::steady_timer timer(executor_);
        for (;;) {
            timer.expires_after(interface_interval);
            co_await timer.async_wait(asio::use_awaitable);
            if (look_for_interfaces()) {
                table_.start_again(now().steady);
                due_changed_.notify();
            }
        }
    }

    awaitable<void> run_hear_loop(lan_socket* on) {
        std::array<std::uint8_t, max_beacon_bytes> datagram{};
        for (;;) {
            co_await on->readable();
            for (int i = 0; i < datagrams_in_a_row; ++i) {
                const auto heard = on->receive(datagram);
                if (!heard) {
                    break;
                }
                hear(std::span(datagram).first(heard->size), heard->from);
            }
            co_await asio::post(executor_, asio::use_awaitable);
        }
    }

    void hear(std::span<const std::uint8_t> datagram, const address& from) {
        const auto beacon = parse_beacon(datagram);
        const moment at = now();
        if (!beacon || !table_.worth_verifying(*beacon, from, at) || !is_signed(datagram, *beacon)) {
            return;
        }
        const auto due = table_.next_due();
        const auto found = table_.take(*beacon, from, at.steady);
        if (table_.next_due() != due) {
            due_changed_.notify();
        }
        if (found && on_found_) {
            on_found_(*found);
        }
    }

    asio::any_io_executor executor_;
    keys::key_pair keys_;
    lan_options options_;
    sink on_found_;
    std::vector<lan_socket> sockets_;
    lan_table table_;
    aio::wake_up due_changed_;
};

}  // namespace

result<std::unique_ptr<lan_discovery>> lan_discovery::create(const asio::any_io_executor& executor,
                                                             const keys::key_pair& keys, lan_options options,
                                                             sink on_found) {
    std::vector<lan_socket> sockets;
    std::optional<error> why;
    for (const family of : {family::v4, family::v6}) {
        auto opened = lan_socket::open(executor, of, options.port);
        if (opened) {
            sockets.push_back(std::move(*opened));
        } else if (!why) {
            why = opened.error();
        }
    }
    if (sockets.empty()) {
        return *why;
    }
    auto made = std::make_unique<driver>(executor, keys, std::move(options), std::move(on_found), std::move(sockets));
    made->look_for_interfaces();
    if (!made->can_be_heard()) {
        return fail(errc::no_interface,
                    "No network interface of this machine can multicast, so nobody can be found on the local network; "
                    "name an address with --join instead.");
    }
    return std::unique_ptr<lan_discovery>(std::move(made));
}

}  // namespace starling::discovery

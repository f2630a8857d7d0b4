#include "transport/memory_network.hpp"

#include "aio/wake_up.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace starling::transport {

namespace {

namespace asio = boost::asio;

constexpr std::size_t pipe_bytes = 256 << 10;  // that wait for a reader, as on a new QUIC stream
constexpr std::size_t waiting_datagrams = 256;
constexpr std::size_t open_streams = 1'024;  // of one side that the other has not given up yet

}  // namespace

struct memory_network::state {
    asio::any_io_executor executor;
    std::map<address, class memory_endpoint*> endpoints;
    std::set<std::pair<address, address>> cuts;
    std::uint16_t next_port = 1;

    bool cut(const address& a, const address& b) const { return cuts.contains(std::minmax(a, b)); }
};

namespace {

/// One direction of a stream.
struct pipe {
    explicit pipe(const asio::any_io_executor& executor) : changed(executor) {}

    std::deque<std::uint8_t> held;
    bool finished = false;
    bool reset = false;
    bool closed = false;
    aio::wake_up changed;

    void end(bool pipe::* how) {
        this->*how = true;
        changed.notify();
    }
};

/// What two sides of a connection share. Index 0 is the side that connected.
struct line {
    line(std::shared_ptr<memory_network::state> network, const asio::any_io_executor& executor);

    void close(std::size_t by, const std::string& why);
    bool carries() const { return !network->cut(where[0], where[1]); }

    std::shared_ptr<memory_network::state> network;
    std::array<node_id, 2> who;
    std::array<address, 2> where;
    std::array<std::optional<error>, 2> ended;
    std::array<std::deque<std::unique_ptr<stream>>, 2> arrived;
    std::array<std::deque<bytes>, 2> datagrams;
    std::array<steady_time, 2> heard;
    std::array<std::size_t, 2> open{};
    std::array<aio::wake_up, 2> changed;
    std::vector<std::weak_ptr<pipe>> pipes;
};

class memory_stream final : public stream {
  public:
    memory_stream(std::shared_ptr<line> on, std::size_t side, bool opened_here, std::shared_ptr<pipe> in,
                  std::shared_ptr<pipe> out)
        : on_(std::move(on)), side_(side), opened_here_(opened_here), in_(std::move(in)), out_(std::move(out)) {}

    ~memory_stream() override {
        if (!in_->finished) {
            in_->end(&pipe::reset);
        }
        if (!out_->finished) {
            out_->end(&pipe::reset);
        }
        if (!opened_here_) {
            --on_->open[1 - side_];
            on_->changed[1 - side_].notify();
        }
    }

    awaitable<result<std::size_t>> read_some(std::span<std::uint8_t> into, steady_time deadline) override {
        const auto from = in_;
        while (from->held.empty()) {
            if (from->finished) {
                co_return std::size_t{0};
            }
            if (from->reset || from->closed) {
                co_return why();
            }
            const bool in_time = co_await from->changed.wait_until(deadline);
            if (!in_time) {
                co_return fail(errc::deadline, "Nothing came in time.");
            }
        }
        const auto count = std::min(into.size(), from->held.size());
        std::copy_n(from->held.begin(), count, into.begin());
        from->held.erase(from->held.begin(), from->held.begin() + static_cast<std::ptrdiff_t>(count));
        from->changed.notify();
        co_return count;
    }

    awaitable<result<void>> write(std::span<const std::uint8_t> from, steady_time deadline) override {
        const auto to = out_;
        while (!from.empty()) {
            if (to->reset || to->closed || to->finished) {
                co_return why();
            }
            if (to->held.size() >= pipe_bytes) {
                const bool in_time = co_await to->changed.wait_until(deadline);
                if (!in_time) {
                    co_return fail(errc::deadline, "The other side did not read in time.");
                }
                continue;
            }
            const auto now = from.first(std::min(from.size(), pipe_bytes - to->held.size()));
            from = from.subspan(now.size());
            if (on_->carries()) {
                to->held.insert(to->held.end(), now.begin(), now.end());
                on_->heard[1 - side_] = std::chrono::steady_clock::now();
                to->changed.notify();
            }
        }
        co_return result<void>();
    }

    void finish() override {
        if (on_->carries()) {
            out_->end(&pipe::finished);
        }
    }

    void reset() override {
        in_->end(&pipe::reset);
        out_->end(&pipe::reset);
    }

  private:
    error why() const {
        return on_->ended[side_] ? *on_->ended[side_] : fail(errc::reset, "The other side gave the stream up.");
    }

    std::shared_ptr<line> on_;
    std::size_t side_;
    bool opened_here_;
    std::shared_ptr<pipe> in_;
    std::shared_ptr<pipe> out_;
};

line::line(std::shared_ptr<memory_network::state> of, const asio::any_io_executor& executor)
    : network(std::move(of)), changed{aio::wake_up(executor), aio::wake_up(executor)} {
    heard.fill(std::chrono::steady_clock::now());
}

void line::close(std::size_t by, const std::string& why) {
    const auto told = carries();
    for (const std::size_t side : {by, 1 - by}) {
        if (!ended[side] && (side == by || told)) {
            ended[side] = fail(errc::closed, side == by ? "The connection was closed here (" + why + ")."
                                                        : "The other side closed the connection (" + why + ").");
            changed[side].notify();
        }
    }
    arrived[by].clear();
    if (told) {
        arrived[1 - by].clear();
    }
    for (const auto& weak : pipes) {
        if (const auto one = weak.lock(); one && told) {
            one->end(&pipe::closed);
        }
    }
}

class memory_connection final : public connection {
  public:
    memory_connection(std::shared_ptr<line> on, std::size_t side) : on_(std::move(on)), side_(side) {}

    const node_id& peer() const override { return on_->who[1 - side_]; }
    bool initiated() const override { return side_ == 0; }
    link_facts facts() const override {
        const bool live = !on_->ended[side_] && on_->carries();
        std::erase_if(on_->pipes, [](const auto& one) { return one.expired(); });
        return {.round_trip = {},
                .last_heard = live ? std::chrono::steady_clock::now() : on_->heard[side_],
                .remote = on_->where[1 - side_],
                .streams = on_->pipes.size() / 2};
    }

    awaitable<result<std::unique_ptr<stream>>> open(steady_time deadline) override {
        const auto on = on_;
        const auto side = side_;
        while (!on->ended[side] && on->open[side] >= open_streams) {
            const bool in_time = co_await on->changed[side].wait_until(deadline);
            if (!in_time) {
                co_return fail(errc::deadline, "The other side allowed no further stream in time.");
            }
        }
        if (on->ended[side]) {
            co_return *on->ended[side];
        }
        const auto& executor = on->network->executor;
        const auto there = std::make_shared<pipe>(executor);
        const auto back = std::make_shared<pipe>(executor);
        std::erase_if(on->pipes, [](const auto& one) { return one.expired(); });
        on->pipes.insert(on->pipes.end(), {there, back});
        if (on->carries()) {
            ++on->open[side];
            on->arrived[1 - side].push_back(std::make_unique<memory_stream>(on, 1 - side, false, there, back));
            on->changed[1 - side].notify();
        }
        std::unique_ptr<stream> made = std::make_unique<memory_stream>(on, side, true, back, there);
        co_return made;
    }

    awaitable<result<std::unique_ptr<stream>>> accept(steady_time deadline) override {
        const auto on = on_;
        const auto side = side_;
        while (on->arrived[side].empty()) {
            if (on->ended[side]) {
                co_return *on->ended[side];
            }
            const bool in_time = co_await on->changed[side].wait_until(deadline);
            if (!in_time) {
                co_return fail(errc::deadline, "The other side opened no stream in time.");
            }
        }
        std::unique_ptr<stream> next = std::move(on->arrived[side].front());
        on->arrived[side].pop_front();
        co_return next;
    }

    result<void> send_datagram(std::span<const std::uint8_t> from) override {
        if (from.size() > max_datagram_bytes) {
            return fail(errc::too_large, "A datagram carries at most " + std::to_string(max_datagram_bytes) +
                                             " bytes, not " + std::to_string(from.size()) + ".");
        }
        if (on_->ended[side_]) {
            return *on_->ended[side_];
        }
        auto& there = on_->datagrams[1 - side_];
        if (on_->carries() && there.size() < waiting_datagrams) {
            there.emplace_back(from.begin(), from.end());
            on_->heard[1 - side_] = std::chrono::steady_clock::now();
            on_->changed[1 - side_].notify();
        }
        return {};
    }

    awaitable<result<bytes>> receive_datagram(steady_time deadline) override {
        const auto on = on_;
        const auto side = side_;
        while (on->datagrams[side].empty()) {
            if (on->ended[side]) {
                co_return *on->ended[side];
            }
            const bool in_time = co_await on->changed[side].wait_until(deadline);
            if (!in_time) {
                co_return fail(errc::deadline, "No datagram came in time.");
            }
        }
        bytes next = std::move(on->datagrams[side].front());
        on->datagrams[side].pop_front();
        co_return next;
    }

    void close(std::string why) override {
        if (!on_->ended[side_]) {
            on_->close(side_, why);
        }
    }

    const std::optional<error>& ended() const override { return on_->ended[side_]; }

  private:
    std::shared_ptr<line> on_;
    std::size_t side_;
};

}  // namespace

class memory_endpoint final : public endpoint {
  public:
    memory_endpoint(std::shared_ptr<memory_network::state> network, const node_id& who, const address& where)
        : network_(std::move(network)),
          who_(who),
          where_(where),
          incoming_(std::make_shared<backlog>(network_->executor)) {
        network_->endpoints[where_] = this;
    }
    ~memory_endpoint() override { stop(); }

    awaitable<result<std::shared_ptr<connection>>> connect(address where, node_id peer, steady_time deadline) override {
        if (network_->cut(where_, where)) {
            asio::steady_timer timer(network_->executor, deadline);
            co_await timer.async_wait(asio::use_awaitable);
            co_return fail(errc::deadline, "No answer in time.");
        }
        const auto found = network_->endpoints.find(where);
        if (found == network_->endpoints.end() || incoming_->stopped) {
            co_return fail(errc::unreachable, "Nobody listens there.");
        }
        if (found->second->who_ != peer) {
            co_return fail(errc::wrong_peer,
                           "Another node (" + short_name(found->second->who_) + "…) answers at that address.");
        }
        const auto made = std::make_shared<line>(network_, network_->executor);
        made->who = {who_, peer};
        made->where = {where_, where};
        lines_.push_back({made, 0});
        found->second->lines_.push_back({made, 1});
        found->second->incoming_->made.push_back(std::make_shared<memory_connection>(made, 1));
        found->second->incoming_->changed.notify();
        std::shared_ptr<connection> out = std::make_shared<memory_connection>(made, 0);
        co_return out;
    }

    awaitable<result<std::shared_ptr<connection>>> accept() override {
        const auto from = incoming_;
        while (from->made.empty()) {
            if (from->stopped) {
                co_return fail(errc::stopped, "This node is stopping.");
            }
            co_await from->changed.wait_until(steady_time::max());
        }
        std::shared_ptr<connection> next = std::move(from->made.front());
        from->made.pop_front();
        co_return next;
    }

    address local() const override { return where_; }

    void stop() override {
        if (std::exchange(incoming_->stopped, true)) {
            return;
        }
        network_->endpoints.erase(where_);
        for (const auto& [weak, side] : std::exchange(lines_, {})) {
            if (const auto one = weak.lock()) {
                one->close(side, "stopping");
            }
        }
        incoming_->changed.notify();
    }

  private:
    struct backlog {
        explicit backlog(const asio::any_io_executor& executor) : changed(executor) {}
        std::deque<std::shared_ptr<connection>> made;
        bool stopped = false;
        aio::wake_up changed;
    };

    std::shared_ptr<memory_network::state> network_;
    node_id who_;
    address where_;
    std::shared_ptr<backlog> incoming_;
    std::vector<std::pair<std::weak_ptr<line>, std::size_t>> lines_;
};

memory_network::memory_network(asio::any_io_executor executor) : state_(std::make_shared<state>()) {
    state_->executor = std::move(executor);
}

memory_network::~memory_network() = default;

std::unique_ptr<endpoint> memory_network::add(const node_id& who) {
    const address where(asio::ip::address_v4::loopback(), state_->next_port++);
    return std::make_unique<memory_endpoint>(state_, who, where);
}

void memory_network::cut(const address& a, const address& b) {
    state_->cuts.insert(std::minmax(a, b));
}

void memory_network::heal(const address& a, const address& b) {
    state_->cuts.erase(std::minmax(a, b));
}

}  // namespace starling::transport

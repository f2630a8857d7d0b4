// Which coordinator a node works for, for one model. Pure: (state, event, now) → actions. One per model and node; the
// coordinator's own last stage goes through the lease of its own node too, on a stream that never leaves the process.
// Owner thread: whoever drives it. Called by: the driver of a node's stages.
//
// At most one claim at a time. A greater one (types.hpp) takes the stage from a smaller one, whose stream is told
// `revoked`; a smaller or outdated one is refused and told who holds the stage. When the holder's control stream ends,
// the claim *lapses*: its layers stay for lease_time, so that the holder's next epoch or its successor finds them
// loaded. A lapsed claim still refuses smaller ones (it may only be a broken connection) but says that nobody is
// connected, and the smaller one may come again with a higher term. A lapsed claim gives way at once when another model
// needs the memory: see evict().
//
// A claim that is more than max_term_leap above the one that is held is refused as well: no honest successor is that
// far ahead (term_clock.hpp), and one that has become so gets its turn when the claim has lapsed. Nothing is remembered
// of a claim that is dropped, so no number can wedge a stage for longer than its owner is connected and lease_time.
//
// The rule for two models that need the same memory is the driver's: answer a load with load_failed(memory) at once,
// after evict() of every lapsed lease; never let a stage wait for memory, or two deployments wait for each other.
#pragma once

#include "deployment/limits.hpp"
#include "deployment/types.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace starling::deployment {

/// What decides whether layers that are loaded can be used again.
struct assignment {
    layer_range layers;
    std::uint32_t context = 0;
    std::uint32_t slots = 0;

    bool operator==(const assignment&) const = default;
};

using stream_number = std::uint64_t;  // of control streams, given by the driver, never twice
using load_ticket = std::uint64_t;

namespace lease {

/// Load these layers, after any unload before it is done; answer with loaded() or load_failed().
struct load {
    load_ticket ticket;
    claim by;
    assignment what;
};

/// What is loaded, or being loaded, is now for this claim: forget the sequences of the last one.
struct adopt {
    claim by;
};

/// Drop the layers, or stop loading them.
struct unload {};

struct say_ready {
    stream_number stream;
    claim by;
};

/// Say why, then close the stream. stream_ended() is not needed for it and does no harm.
struct turn_away {
    stream_number stream;
    trouble why;
};

using action = std::variant<load, adopt, unload, say_ready, turn_away>;
using actions = std::vector<action>;

}  // namespace lease

class stage_lease {
  public:
    /// A control stream asks for this stage.
    lease::actions open(stream_number stream, const claim& by, const assignment& what, time_point now);

    lease::actions loaded(load_ticket ticket, time_point now);

    /// Also for layers that break later. `why`: memory, no_file or failed.
    lease::actions load_failed(load_ticket ticket, trouble_kind why, time_point now);

    /// The other side closed it, or it broke.
    lease::actions stream_ended(stream_number stream, time_point now);

    /// Another model needs the memory: layers that nobody is connected to are dropped.
    lease::actions evict(time_point now);

    /// This node says goodbye; from here on every open is refused.
    lease::actions leave(time_point now);

    lease::actions tick(time_point now);

    // --- the view ---
    time_point next_tick() const;
    std::optional<claim> holder() const;
    bool connected() const { return held_ && held_->stream.has_value(); }
    bool ready() const { return resident_ && resident_->loaded; }
    /// The driver may forget this lease.
    bool empty() const { return !held_ && !resident_; }

  private:
    struct holding {
        claim by;
        std::optional<stream_number> stream;  // nothing: lapsed
        time_point until = time_point::max();
    };
    struct layers {
        load_ticket ticket = 0;
        assignment what;
        bool loaded = false;
    };

    std::optional<trouble> objection(const claim& by) const;
    void take(stream_number stream, const claim& by, const assignment& what, lease::actions& out);
    void drop(lease::actions& out);

    std::optional<holding> held_;
    std::optional<layers> resident_;
    load_ticket tickets_ = 0;
    bool left_ = false;
};

}  // namespace starling::deployment

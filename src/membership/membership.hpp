// Who is in the mesh, and who of them is alive: a SWIM-style failure detector (Das, Gupta, Motivala: "SWIM", DSN 2002)
// with Lifeguard's suspicion and local health (Dadgar, Phillips, Currey, DSN 2018). Pure: (state, event, now, dice) →
// actions. Thousands of these run in one simulation (tests/sim). Owner thread: whoever drives it. Called by: peers.
//
// How the data flows. Each node signs a *record* of itself. Records travel three ways: piggybacked on probes, in bursts
// of gossip while there is news, and in a periodic sync with a random member that repairs what the others missed. Every
// half second a node pings one member; after some silence it pings again and asks helpers to; a failed round is a
// *strike*, makes the member suspect and is gossiped as an *accusation*. Everyone who hears it starts a timer of its
// own: an accusation counts, but death is always a node's own conclusion, never hearsay. The accused, told to its face
// by everyone who talks to it, signs a record with a higher incarnation, which ends all suspicion. If it does not, its
// time runs out (sooner when more members accuse it, or after a second strike of our own) and it is dead. Dead members
// are greeted slowly for a day; the greeting tells them that they are dead, they refute, and a healed partition
// converges with no help from outside.
//
// What nobody can do to others. A record counts only for its own node (the driver has verified the signature: this
// library never does) and only with a higher incarnation than the one held, so an old one cannot bring a tombstone
// back. An accusation counts only against exactly the incarnation that is held: a lower one is out of date, a higher
// one is about a record that we have not seen and is ignored, never kept; whoever accuses *us* ahead of our own record
// is asked to show that record, which only a past life of ours can have signed. So an absurd number wedges nothing, and
// each accusation raises an incarnation by one at most, no faster than `raise_pace`. An unknown member that is dead or
// has left is not taken in. Accusers can be made up, since accusations are not signed; so
// however many there are, a suspect has the least patience of suspicion_policy.hpp to refute, which is made for that.
// The worst that a lying member achieves is a suspicion that its victim refutes; on a lossy network now and then a
// death of a second or less.
#pragma once

#include "base/result.hpp"
#include "membership/dice.hpp"
#include "membership/errc.hpp"
#include "membership/member_table.hpp"
#include "membership/messages.hpp"
#include "membership/news_queue.hpp"
#include "membership/probe_order.hpp"
#include "membership/probes.hpp"

#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace starling::membership {

/// To a node by id; its addresses are in the payload of its record, or the driver knows them from a join.
struct send {
    node_id to;
    membership::message message;
};

/// A member came, changed state, or has a new record (then both states may be the same). Also for this node itself:
/// its incarnation is worth keeping for the next start.
struct member_changed {
    node_id id;
    std::optional<member_state> before;  // nothing: was not known
    std::optional<member_state> after;   // nothing: forgotten
    shared_record record;
};

using action = std::variant<send, member_changed>;
using actions = std::vector<action>;

/// The signature of `unsigned_record.id` over all other fields. Called from inside any input; must be quick.
using signer = std::function<byte_string(const record& unsigned_record)>;

struct setup {
    node_id self;
    byte_string payload;  // at most max_payload_bytes
    /// Above every one of this node's past; the wall clock in seconds will do. Where it is not, the mesh shows the old
    /// record and the node jumps above it.
    incarnation_number incarnation = 0;
    signer sign;
    std::uint64_t seed = 0;  // unpredictable
};

struct member_view {
    shared_record record;
    member_state state = member_state::alive;
    time_point since;
};

class detector {
  public:
    /// Errors: errc::payload_too_large.
    static result<detector> create(setup s, time_point now);

    // --- inputs; each returns what is to be done, in order ---

    /// Timers. To be called at next_tick(), or a little later; sooner does no harm.
    actions tick(time_point now);

    /// `from` is authenticated, and every record in `m` verified: the driver drops those that are not.
    actions receive(const node_id& from, const message& m, time_point now);

    /// Asks a contact, perhaps unknown yet, for all it knows; again and again, ever slower, while it is not known
    /// alive: two nodes that find only each other must not become a mesh of their own. The driver must know how to
    /// reach it.
    actions join(const node_id& id, time_point now);

    /// A reason to doubt a member, such as a broken connection: it is probed at once.
    actions look_at(const node_id& id, time_point now);

    /// Tells the mesh: a broadcast, so seldom. Errors: errc::payload_too_large.
    result<actions> set_payload(byte_string payload, time_point now);

    /// Says goodbye. From here on only tick() does something, until drained().
    actions leave(time_point now);

    // --- the view ---

    /// After every input this may have become earlier.
    time_point next_tick() const;

    bool drained() const { return gone() && (news_.empty() || table_.live().empty()); }
    const record& own() const { return *table_.at(member_table::self).record; }
    std::optional<member_view> find(const node_id& id) const;
    std::vector<member_view> members() const;  // with tombstones and this node
    std::size_t live_count() const { return table_.live().size(); }
    std::size_t known_count() const { return table_.size(); }

    /// 0: well. Higher: our own probes fail for reasons that seem to be ours; everything is given more time.
    int local_health() const { return local_health_; }

  private:
    enum class source { gossip, sync };

    struct contact {
        node_id id;
        time_point next_ask;
        duration wait = join_retry;
    };

    /// What the message being received asks of the answer.
    struct conversation {
        bool show_own = false;  // somebody over there accuses us
        bool answered = false;
    };

    detector(setup s, time_point now);

    // detector.cpp: inputs, our own record, actions
    void begin(time_point now);
    actions finish();
    bool gone() const { return table_.at(member_table::self).state == member_state::left; }
    void post(const node_id& to, message m);
    void report(slot s, std::optional<member_state> before);
    void publish(record_kind kind, byte_string payload, incarnation_number incarnation);
    void demand_raise(incarnation_number above);
    void raise();
    void forgive_after_stall();
    void forget(slot s);
    void expire_tombstones();
    void ask_contacts();
    std::vector<node_id> random_live(std::size_t count, const node_id& except);

    // detector_probe.cpp: rounds, relays, local health
    void start_period();
    void start_probe(slot s);
    void step_probes();
    void ping_again(probe& p);
    void fail_round(const probe& p);
    void step_relays();
    void greet_dead();
    void adjust_local_health(int by);
    void on(const node_id& from, const ping& m);
    void on(const node_id& from, const ping_req& m);
    void on(const node_id& from, const ack& m);
    void on(const node_id& from, const nack& m);

    // detector_news.cpp: records, accusations, gossip
    void on(const node_id& from, const gossip& m);
    void apply(const node_id& from, const news& n);
    bool apply_record(const shared_record& r, source via);
    bool apply_own_record(const record& r);
    void accept(slot s, const shared_record& r, source via);
    void spread(slot s, source via);
    void apply_accusation(const node_id& from, const accusation& a, source via);
    void accuse(slot s, const accusation& a);
    void step_suspicions();
    time_point verdict_time(const suspicion& doubt) const;
    news news_for(const node_id& to);
    void run_gossip_round(std::size_t fanout);
    void answer_unasked(const node_id& from);

    // detector_sync.cpp: anti-entropy
    void start_sync(const node_id& with);
    void sync_with_anyone();
    void sync_again_soon();
    bool may_answer_sync();
    void introduce(const node_id& stranger);
    void on(const node_id& from, const sync_request& m);
    void on(const node_id& from, const sync_digest& m);
    void on(const node_id& from, const sync_records& m);

    member_table table_;
    news_queue news_;
    probe_order order_;
    dice dice_;
    signer sign_;
    std::vector<probe> probes_;
    std::vector<relay> relays_;
    std::vector<contact> contacts_;
    int local_health_ = 0;
    std::uint64_t sequence_ = 0;
    std::optional<incarnation_number> wanted_incarnation_;  // a raise that waits for raise_pace
    duration sync_wait_ = sync_soon;                        // doubles up to sync_period while nothing changes
    std::size_t sync_answers_ = 0;                          // since sync_answers_from_
    bool urgent_news_ = false;

    // of the call in progress
    time_point now_;
    actions actions_;
    conversation conversation_;

    time_point last_tick_;
    time_point last_raise_;
    time_point last_gossip_;
    time_point last_sync_;
    time_point last_introduction_;
    time_point sync_answers_from_;
    time_point next_period_;
    time_point next_sync_;
    time_point next_expiry_;
    time_point next_verdict_ = time_point::max();  // no suspicion ends before
};

}  // namespace starling::membership

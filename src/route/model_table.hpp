// Which generator answers a request: the models of this node, in the order in which they were announced.
//
// A model is announced before it is loaded, so that a client is told "loading, 40 %" and not "unknown model". The table
// is pure: no clock (times are passed in), no file, no thread. Owner thread: the network executor; a loader that lives
// elsewhere posts its calls there. Called by: api (choose, snapshot) and node (everything else).
#pragma once

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "route/request_rate.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::route {

enum class model_state {
    standby,  // loaded when somebody wants it
    loading,
    ready,
    waiting,  // for machines that can hold it, or for another node to take it up
    failed,
};

constexpr const char* to_string(model_state state) {
    switch (state) {
        case model_state::standby: return "standby";
        case model_state::loading: return "loading";
        case model_state::ready: return "ready";
        case model_state::waiting: return "waiting";
        case model_state::failed: return "failed";
    }
    return "failed";
}

/// The generator that takes a request, and why this one, in one sentence.
struct choice {
    std::shared_ptr<engine::generator> generator;
    std::string model_id;
    std::string reason;
};

struct model_status {
    std::string id;
    model_state state = model_state::loading;
    std::string source;     // file path, hub reference or upstream URL
    float progress = 0.0F;  // 0 … 1, of the load
    std::string failure;    // for waiting and failed: why
    std::uint64_t requests = 0;
    double request_rate_per_min = 0.0;
    std::optional<double> last_active_s;           // seconds since the last request; none: never asked
    std::shared_ptr<engine::generator> generator;  // null unless ready
    std::string content;                           // hash of what it is; empty unless ready and known
};

class model_table {
  public:
    /// The name that means "whichever is ready".
    static constexpr std::string_view automatic = "auto";

    /// Loading or standby, progress 0. A second announcement of a model starts it over and keeps its counters.
    void announce(std::string id, std::string source, model_state state = model_state::loading);

    /// These four ignore a name that was not announced: the model may have been removed while it loaded.
    void set_progress(std::string_view id, float fraction);
    void set_ready(std::string_view id, std::shared_ptr<engine::generator> generator, std::string content = {});
    void set_failed(std::string_view id, const error& why);
    /// It may be served again without anybody's doing; until then requests end with `why`.
    void set_waiting(std::string_view id, error why);

    void remove(std::string_view id);

    /// Picks the model of this name and counts the request. An empty name or "auto" means the first that is ready.
    /// Errors: engine::errc::unknown_model, loading (with the percentage), unavailable (failed, or nothing is served),
    /// and what set_waiting() was given.
    result<choice> choose(std::string_view model, steady_time now);

    std::vector<model_status> snapshot(steady_time now) const;

    bool empty() const { return models_.empty(); }

  private:
    struct entry {
        std::string id;
        std::string source;
        model_state state = model_state::loading;
        float progress = 0.0F;
        std::optional<error> failure;
        std::shared_ptr<engine::generator> generator;
        std::string content;
        std::uint64_t requests = 0;
        request_rate rate;
        std::optional<steady_time> last_active;
    };

    entry* find(std::string_view id);
    result<choice> choose_any(steady_time now);
    std::string known_names() const;

    std::vector<entry> models_;  // a handful: a linear search is the fastest there is
};

}  // namespace starling::route

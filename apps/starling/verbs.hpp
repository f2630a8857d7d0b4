// The verbs. Each adds itself to the command line, and says through `run` what to do when it was the one that was
// given.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace starling::cli {

/// Set by the verb that was given; its result is the exit code.
using action = std::function<int()>;

void add_serve(CLI::App& app, action& run);
void add_client(CLI::App& app, action& run);
void add_chat(CLI::App& app, action& run);
void add_status(CLI::App& app, action& run);
void add_peers(CLI::App& app, action& run);
void add_invite(CLI::App& app, action& run);
void add_models(CLI::App& app, action& run);
void add_plan(CLI::App& app, action& run);
void add_doctor(CLI::App& app, action& run);
/// What happens without a verb.
void add_idle(CLI::App& app, action& run);

}  // namespace starling::cli

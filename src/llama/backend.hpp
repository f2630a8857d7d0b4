// What llama.cpp keeps once for a whole process: its backends and its log. The only state here that is not owned by an
// object, because it is llama.cpp's own.
#pragma once

#include <string>

namespace starling::llama {

/// Starts llama.cpp's backends the first time it is called; any thread.
void start_backend();

/// Takes the last error that llama.cpp logged on this thread since the call before; empty when there was none.
std::string take_logged_error();

}  // namespace starling::llama

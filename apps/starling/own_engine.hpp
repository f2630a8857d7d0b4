// A chat with an engine in this process: a private node, without a port.
#pragma once

#include "chat_engine.hpp"

namespace starling::cli {

/// `model` empty: the first of the configuration, else the built-in one.
result<std::unique_ptr<chat_engine>> open_own_engine(settings::config settings, const std::string& model,
                                                     interrupts& keyboard);

}  // namespace starling::cli

// Lines from the keyboard, with editing and a history that outlives the program (libedit).
#pragma once

#include "interrupts.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace starling::cli {

enum class line_end { entered, interrupted, closed };

struct line {
    std::string text;
    line_end end = line_end::entered;
};

class line_editor {
  public:
    /// The history file is made with mode 0600; one that cannot be read or written is done without.
    line_editor(std::filesystem::path history_file, interrupts& keyboard);
    ~line_editor();
    line_editor(const line_editor&) = delete;
    line_editor& operator=(const line_editor&) = delete;

    /// Ctrl-C gives `interrupted` and drops what was typed; Ctrl-D on an empty line gives `closed`.
    line read(const std::string& prompt);

    void remember(const std::string& text);

  private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace starling::cli

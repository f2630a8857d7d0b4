// A conversation at the keyboard, or from a pipe: one line, one turn.
#pragma once

#include "chat_engine.hpp"
#include "conversation.hpp"
#include "interrupts.hpp"

#include <memory>
#include <optional>
#include <string>

namespace starling::cli {

class chat_session {
  public:
    chat_session(chat_target target, std::unique_ptr<chat_engine> engine, conversation talk, interrupts& keyboard);

    /// Until Ctrl-D, /exit or the end of the input. Gives the exit code.
    int run();

    /// One answer, and done.
    int run_once(const std::string& prompt);

  private:
    int run_at_terminal();
    int run_from_pipe();
    /// False when the session is to end.
    bool take_line(const std::string& line);
    bool take_command(const std::string& line);
    void change_model(const std::string& reference);
    void show_stats() const;
    /// Streams an answer to stdout; gives the exit code.
    int answer(const std::string& text);

    chat_target target_;
    std::unique_ptr<chat_engine> engine_;
    conversation talk_;
    interrupts* keyboard_;
    std::optional<answer_report> last_;
};

}  // namespace starling::cli

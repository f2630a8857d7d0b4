// A question of yes or no on the terminal, asked by a program that goes on working meanwhile. Linux.
//
// Thread: the executor's one. Nothing is read while the program is in the background: the shell's lines are not its
// answers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace starling::cli {

class terminal_question {
  public:
    /// Runs on the executor, which outlives it.
    explicit terminal_question(const boost::asio::any_io_executor& executor);

    /// Is somebody there to be asked?
    static bool is_possible();

    /// A line that begins with y is a yes, any other is a no. A question that is open is dropped.
    void ask(const std::string& text, std::function<void(bool)> on_answer);
    void withdraw();

    bool is_open() const { return static_cast<bool>(on_answer_); }

  private:
    void listen();
    void look_later();
    void read();
    bool open();

    boost::asio::posix::stream_descriptor terminal_;
    boost::asio::steady_timer later_;
    std::function<void(bool)> on_answer_;
    std::string typed_;
    unsigned round_ = 0;  // which question a wait belongs to
};

}  // namespace starling::cli

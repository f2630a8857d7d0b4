#include "chat_session.hpp"

#include "command_line.hpp"
#include "line_editor.hpp"
#include "terminal.hpp"

#include <cstdio>
#include <iostream>
#include <utility>

namespace starling::cli {

namespace {

constexpr const char* dim = "\033[2m";
constexpr const char* plain = "\033[0m";
constexpr double ms_per_s = 1000.0;

/// Writes an answer to stdout as it comes. Reasoning is shown dimmed on a terminal, and left out elsewhere.
class answer_writer {
  public:
    void write(shown_text piece) {
        if (piece.text.empty() || (piece.reasoning && !terminal_)) {
            return;
        }
        if (piece.reasoning != reasoning_) {
            std::fputs(piece.reasoning ? dim : (std::string(plain) + "\n\n").c_str(), stdout);
            reasoning_ = piece.reasoning;
        }
        // A terminal obeys what it is sent, and a model is not trusted with that.
        const std::string safe = terminal_ ? printable(piece.text) : std::string(piece.text);
        std::fwrite(safe.data(), 1, safe.size(), stdout);
        std::fflush(stdout);
        ends_line_ = safe.empty() ? ends_line_ : safe.back() == '\n';
        begun_ = true;
    }

    void finish() {
        if (reasoning_) {
            std::fputs(plain, stdout);
        }
        if (begun_ && !ends_line_) {
            std::fputc('\n', stdout);
        }
        std::fflush(stdout);
    }

  private:
    bool terminal_ = stdout_is_terminal();
    bool reasoning_ = false;
    bool ends_line_ = false;
    bool begun_ = false;
};

std::string trimmed(std::string text) {
    const auto begin = text.find_first_not_of(" \t");
    const auto end = text.find_last_not_of(" \t");
    return begin == std::string::npos ? std::string{} : text.substr(begin, end - begin + 1);
}

void print_help() {
    std::puts(
        "  /clear            forget the conversation\n"
        "  /model [REF]      show which model answers, or change it\n"
        "  /system [TEXT]    show what the model is told first, or change it\n"
        "  /stats            figures of the last answer\n"
        "  /exit             leave (also Ctrl-D)\n"
        "  Ctrl-C stops an answer. A line that ends with \\ goes on in the next.");
}

}  // namespace

chat_session::chat_session(chat_target target, std::unique_ptr<chat_engine> engine, conversation talk,
                           interrupts& keyboard)
    : target_(std::move(target)), engine_(std::move(engine)), talk_(std::move(talk)), keyboard_(&keyboard) {}

int chat_session::run() {
    return stdin_is_terminal() && stdout_is_terminal() ? run_at_terminal() : run_from_pipe();
}

int chat_session::run_once(const std::string& prompt) {
    return answer(prompt);
}

int chat_session::answer(const std::string& text) {
    answer_writer out;
    auto reported = talk_.ask(*engine_, text, *keyboard_, [&out](shown_text piece) { out.write(piece); });
    out.finish();
    if (!reported) {
        return report(reported.error());
    }
    last_ = *reported;
    if (reported->reason == engine::finish_reason::length && stderr_is_terminal()) {
        std::fputs("(cut off: the answer reached its longest length)\n", stderr);
    }
    return reported->interrupted ? interrupted : done;
}

int chat_session::run_from_pipe() {
    std::string line;
    while (std::getline(std::cin, line)) {
        line = trimmed(line);
        if (line.empty()) {
            continue;
        }
        if (const int code = answer(line); code != done) {
            return code;
        }
    }
    return done;
}

int chat_session::run_at_terminal() {
    std::printf("%s, answered by %s. /help lists what else you can type; Ctrl-D leaves.\n", engine_->model().c_str(),
                engine_->place().c_str());
    line_editor editor(target_.config.data_dir / "chat_history", *keyboard_);
    std::string text;
    for (;;) {
        const line got = editor.read(text.empty() ? "> " : "… ");
        if (got.end == line_end::closed) {
            std::fputc('\n', stdout);
            return done;
        }
        if (got.end == line_end::interrupted) {
            text.clear();
            continue;
        }
        text += got.text;
        if (text.ends_with('\\')) {
            text.back() = '\n';
            continue;
        }
        const std::string whole = trimmed(std::exchange(text, {}));
        if (whole.empty()) {
            continue;
        }
        editor.remember(got.text);
        if (!take_line(whole)) {
            return done;
        }
    }
}

bool chat_session::take_line(const std::string& line) {
    if (line.front() == '/') {
        return take_command(line);
    }
    answer(line);
    return true;
}

bool chat_session::take_command(const std::string& line) {
    const std::string name = line.substr(0, line.find(' '));
    const std::string rest = trimmed(line.substr(name.size()));
    if (name == "/exit" || name == "/quit" || name == "/bye") {
        return false;
    }
    if (name == "/clear") {
        talk_.clear();
        std::puts("The conversation is forgotten.");
    } else if (name == "/model") {
        change_model(rest);
    } else if (name == "/system") {
        if (!rest.empty()) {
            talk_.set_system(rest);
        }
        std::printf("The model is told: %s\n", talk_.system().empty() ? "(nothing)" : talk_.system().c_str());
    } else if (name == "/stats") {
        show_stats();
    } else {
        if (name != "/help") {
            std::printf("There is no command %s.\n", name.c_str());
        }
        print_help();
    }
    return true;
}

void chat_session::change_model(const std::string& reference) {
    if (!reference.empty()) {
        chat_target target = target_;
        target.model = reference;
        auto engine = open_chat_engine(target, *keyboard_);
        if (!engine) {
            report(engine.error());
            return;
        }
        target_ = std::move(target);
        engine_ = std::move(*engine);
    }
    std::printf("%s, answered by %s.\n", engine_->model().c_str(), engine_->place().c_str());
}

void chat_session::show_stats() const {
    if (!last_) {
        std::puts("There was no answer yet.");
        return;
    }
    const double writing_s = (last_->total_ms - last_->first_token_ms) / ms_per_s;
    std::printf("  prompt      %d tokens, %d of them remembered from before\n  answer      %d tokens in %.1f s",
                last_->usage.prompt_tokens, last_->usage.cached_tokens, last_->usage.completion_tokens,
                last_->total_ms / ms_per_s);
    if (last_->usage.completion_tokens > 1 && writing_s > 0.0) {
        std::printf(", %.1f tokens/s", static_cast<double>(last_->usage.completion_tokens - 1) / writing_s);
    }
    std::printf("\n  first text  after %.0f ms%s\n", last_->first_token_ms,
                last_->interrupted ? " (stopped by Ctrl-C)" : "");
}

}  // namespace starling::cli

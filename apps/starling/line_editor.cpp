#include "line_editor.hpp"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>

namespace starling::cli {

namespace {

/// As many as somebody goes back through with the arrow key.
constexpr int max_history = 1000;

/// Without a locale for it, libedit takes every letter beyond ASCII for an error.
void use_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
}

}  // namespace

class line_editor::impl {
  public:
    impl(std::filesystem::path history_file, interrupts& keyboard)
        : file_(std::move(history_file)), keyboard_(&keyboard) {
        use_utf8();
        editor_ = ::el_init("starling", stdin, stdout, stderr);
        history_ = ::history_init();
        HistEvent event{};
        ::history(history_, &event, H_SETSIZE, max_history);
        ::history(history_, &event, H_SETUNIQUE, 1);
        ::history(history_, &event, H_LOAD, file_.c_str());
        ::el_set(editor_, EL_HIST, &::history, history_);
        ::el_set(editor_, EL_CLIENTDATA, this);
        ::el_set(editor_, EL_PROMPT, &impl::prompt);
        ::el_set(editor_, EL_EDITOR, "emacs");
        ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        ::el_set(editor_, EL_GETCFN, &impl::read_character);
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    ~impl() {
        ::history_end(history_);
        ::el_end(editor_);
    }

    line read(const std::string& prompt) {
        prompt_ = prompt;
        interrupted_ = false;
        int length = 0;
        const char* text = ::el_gets(editor_, &length);
        if (interrupted_) {
            ::el_reset(editor_);
            std::fputs("^C\n", stdout);
            return {.text = {}, .end = line_end::interrupted};
        }
        if (text == nullptr || length <= 0) {
            return {.text = {}, .end = line_end::closed};
        }
        std::string out(text, static_cast<std::size_t>(length));
        while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) {
            out.pop_back();
        }
        return {.text = std::move(out), .end = line_end::entered};
    }

    void remember(const std::string& text) {
        HistEvent event{};
        ::history(history_, &event, H_ENTER, text.c_str());
        ::history(history_, &event, H_SAVE, file_.c_str());  // libedit gives it mode 0600
    }

  private:
    static impl& self(EditLine* editor) {
        void* data = nullptr;
        ::el_get(editor, EL_CLIENTDATA, &data);
        return *static_cast<impl*>(data);
    }

    static char* prompt(EditLine* editor) { return self(editor).prompt_.data(); }

    /// libedit's own reader knows nothing of Ctrl-C, which comes through a descriptor here.
    static int read_character(EditLine* editor, wchar_t* out) {
        impl& me = self(editor);
        std::mbstate_t state{};
        for (;;) {
            char byte = 0;
            if (!me.wait_for_key()) {
                return -1;
            }
            const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                return static_cast<int>(got);
            }
            const std::size_t length = std::mbrtowc(out, &byte, 1, &state);
            if (length == static_cast<std::size_t>(-2)) {
                continue;  // the character goes on
            }
            if (length == static_cast<std::size_t>(-1)) {
                state = {};  // not a character: left out
                continue;
            }
            return 1;
        }
    }

    bool wait_for_key() {
        for (;;) {
            std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{keyboard_->descriptor(), POLLIN, 0}};
            if (::poll(watched.data(), watched.size(), -1) < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return false;
            }
            if (watched[1].revents != 0 && keyboard_->take()) {
                interrupted_ = true;
                return false;
            }
            if (watched[0].revents != 0) {
                return true;
            }
        }
    }

    std::filesystem::path file_;
    interrupts* keyboard_;
    EditLine* editor_ = nullptr;
    History* history_ = nullptr;
    std::string prompt_;
    bool interrupted_ = false;
};

line_editor::line_editor(std::filesystem::path history_file, interrupts& keyboard)
    : impl_(std::make_unique<impl>(std::move(history_file), keyboard)) {}

line_editor::~line_editor() = default;

line line_editor::read(const std::string& prompt) {
    return impl_->read(prompt);
}

void line_editor::remember(const std::string& text) {
    impl_->remember(text);
}

}  // namespace starling::cli

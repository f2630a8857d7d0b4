// The turns of a chat, and one answer at a time.
#pragma once

#include "chat_engine.hpp"
#include "interrupts.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace starling::cli {

struct chat_settings {
    std::string system;        // empty: none
    float temperature = 0.7F;  // lively, and seldom off the road
    float top_p = 0.95F;
    std::optional<std::int32_t> max_tokens;
    std::optional<std::uint64_t> seed;  // none: another one for each answer
};

struct answer_report {
    engine::token_usage usage;
    engine::finish_reason reason = engine::finish_reason::stop;
    double first_token_ms = 0.0;  // from asking to the first text
    double total_ms = 0.0;
    bool interrupted = false;
};

struct shown_text {
    std::string_view text;
    bool reasoning = false;
};

class conversation {
  public:
    explicit conversation(chat_settings settings);

    /// Adds the turn and its answer; `show` gets the text as it comes. A turn that failed, or was interrupted before
    /// any text, is taken back, so that it can be asked again.
    result<answer_report> ask(chat_engine& engine, const std::string& text, interrupts& keyboard,
                              const std::function<void(shown_text)>& show);

    void clear();
    void set_system(std::string text);
    const std::string& system() const { return settings_.system; }

  private:
    engine::generate_request make_request(const std::string& model);

    chat_settings settings_;
    std::vector<engine::message> turns_;
};

}  // namespace starling::cli

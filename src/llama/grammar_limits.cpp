#include "llama/grammar_limits.hpp"

#include "engine/errc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace starling::llama {

namespace {

constexpr std::uint64_t absurd = 1'000'000'000;  // no count that is read is larger, so that no sum overflows

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

class scanner {
  public:
    explicit scanner(std::string_view text) : text_(text) {}

    std::optional<std::string> fault() {
        while (at_ < text_.size()) {
            if (auto found = symbol()) {
                return found;
            }
            if (elements_ > max_grammar_elements) {
                return fmt::format("it repeats too much: at most {} elements once it is written out",
                                   max_grammar_elements);
            }
        }
        return std::nullopt;
    }

  private:
    /// One symbol, or whatever character comes next.
    std::optional<std::string> symbol() {
        const char c = text_[at_];
        if (c == '"' || c == '[') {
            const std::size_t begin = at_;
            skip_quoted(c == '"' ? '"' : ']');
            begin_symbol(at_ - begin);
        } else if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (c == '(') {
            ++at_;
            if (++nesting_ > max_grammar_nesting) {
                return fmt::format("its parentheses are nested more than {} deep", max_grammar_nesting);
            }
        } else if (c == ')') {
            ++at_;
            nesting_ -= nesting_ > 0 ? 1 : 0;
            begin_symbol(1);
        } else if (c == '{') {
            return repetition();
        } else if (c == '*' || c == '+' || c == '?') {
            ++at_;
            repeat(1, 1);
        } else if (is_word(c)) {
            while (at_ < text_.size() && is_word(text_[at_])) {
                ++at_;
            }
            begin_symbol(1);
        } else if (c == ':') {
            ++at_;
            rules_ += text_.substr(at_ - 1).starts_with("::=") ? 1 : 0;
            if (rules_ > max_grammar_rules) {
                return fmt::format("it has more than {} rules", max_grammar_rules);
            }
        } else {
            ++at_;
            if (c == '.' || c == '>') {
                begin_symbol(1);
            }
        }
        return std::nullopt;
    }

    void skip_quoted(char end) {
        for (++at_; at_ < text_.size() && text_[at_] != end; ++at_) {
            at_ += text_[at_] == '\\' ? 1 : 0;
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    void begin_symbol(std::uint64_t size) {
        last_ = size;
        elements_ += size;
    }

    /// {m}, {m,} or {m,n}; anything else is left to the parser.
    std::optional<std::string> repetition() {
        ++at_;
        const auto lowest = number();
        std::optional<std::uint64_t> highest = lowest;
        skip_space();
        if (at_ < text_.size() && text_[at_] == ',') {
            ++at_;
            highest = number();
        }
        if (lowest && highest && *lowest > *highest) {
            return fmt::format("it repeats something at least {} and at most {} times", *lowest, *highest);
        }
        repeat(lowest.value_or(0), highest.value_or(1));
        return std::nullopt;
    }

    /// The first `lowest` are written one after the other; each further one is a rule that holds a copy.
    void repeat(std::uint64_t lowest, std::uint64_t highest) {
        constexpr std::uint64_t rule_ends = 3;  // a reference and two marks
        const std::uint64_t in_line = last_ * std::max<std::uint64_t>(lowest, 1);
        elements_ += in_line + (highest - std::min(lowest, highest) + 1) * (last_ + rule_ends);
        last_ = in_line + 1;
    }

    void skip_space() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
            ++at_;
        }
    }

    std::optional<std::uint64_t> number() {
        skip_space();
        if (at_ >= text_.size() || !is_digit(text_[at_])) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
            value = std::min(absurd, value * 10 + static_cast<std::uint64_t>(text_[at_] - '0'));
        }
        return value;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t nesting_ = 0;
    std::size_t rules_ = 0;
    std::uint64_t elements_ = 0;
    std::uint64_t last_ = 0;  // elements of the symbol that a repetition would repeat
};

}  // namespace

result<void> check_grammar(std::string_view gbnf) {
    if (const auto fault = scanner(gbnf).fault()) {
        return fail(engine::errc::invalid_request, fmt::format("the grammar or schema cannot be used: {}", *fault));
    }
    return {};
}

}  // namespace starling::llama

// Conversations to prompts and answers to messages, through llama-common's Jinja templates, grammars and parsers.
#pragma once

#include "engine/types.hpp"
#include "llama/model.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

struct common_chat_params;
struct common_chat_templates;

namespace starling::llama {

/// How an answer is constrained and read. Made with the prompt, used by one stream.
struct answer_format {
    answer_format();
    ~answer_format();
    answer_format(answer_format&&) noexcept;
    answer_format& operator=(answer_format&&) noexcept;

    std::unique_ptr<common_chat_params> chat;  // null: a plain completion
    std::string grammar;                       // GBNF given by the client, for plain completions and chats alike
    bool has_tools = false;
    std::unordered_set<engine::token_id> visible_special;  // control tokens whose text the parser needs
    std::vector<engine::token_id> opening;                 // the answer's first tokens, when a tool call is required
    std::vector<std::string> stop;                         // the template's own stop strings
};

struct rendered_prompt {
    std::vector<engine::token_id> tokens;
    answer_format format;
};

class chat_format {
  public:
    explicit chat_format(std::shared_ptr<const model> model);
    ~chat_format();

    /// Errors are errc::invalid_request with the template's or grammar's own complaint.
    result<rendered_prompt> render(const engine::chat_prompt& prompt, const std::string& grammar) const;

  private:
    std::shared_ptr<const model> model_;
    std::unique_ptr<common_chat_templates, void (*)(common_chat_templates*)> templates_;
    std::string unusable_;  // why the template cannot be used; empty when it can
};

/// Reads an answer as it grows. For plain text it is a pass-through; where the template has tool calls or reasoning it
/// parses what there is so far and gives what is new.
class answer_parser {
  public:
    /// `call_seed` makes the ids of tool calls: the same stream continued elsewhere gives the same ids.
    answer_parser(const answer_format& format, std::string call_seed);
    ~answer_parser();
    answer_parser(answer_parser&&) noexcept;

    /// Takes text that the gate released; adds what the client may see to `out`.
    void push(std::string_view text, engine::chunk& out);

    /// The answer is complete.
    void finish(engine::chunk& out);

    bool has_tool_calls() const;

  private:
    struct state;
    bool parse(bool partial, engine::chunk& out);

    std::unique_ptr<state> state_;  // null: pass-through
};

}  // namespace starling::llama

// starling chat: one answer, or a conversation.
#include "chat_session.hpp"
#include "command_line.hpp"
#include "verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace starling::cli {

namespace {

struct chat_arguments {
    given_settings given;
    std::vector<std::string> words;
    std::string model;
    std::string url;
    chat_settings chat;
};

int chat(const chat_arguments& arguments) {
    interrupts keyboard;  // before any thread
    auto settings = load_config(arguments.given);
    if (!settings) {
        return report(settings.error());
    }
    std::string prompt;
    for (const std::string& word : arguments.words) {
        prompt += (prompt.empty() ? "" : " ") + word;
    }
    if (!arguments.words.empty() && prompt.empty()) {
        return report(fail(settings::errc::wrong_usage, "The prompt is empty; write what you want to ask."));
    }
    chat_target target{.config = std::move(*settings), .url = arguments.url, .model = arguments.model};
    auto engine = open_chat_engine(target, keyboard);
    if (!engine) {
        return report(engine.error());
    }
    chat_session session(std::move(target), std::move(*engine), conversation(arguments.chat), keyboard);
    return prompt.empty() ? session.run() : session.run_once(prompt);
}

}  // namespace

void add_chat(CLI::App& app, action& run) {
    const auto arguments = std::make_shared<chat_arguments>();
    CLI::App* verb = app.add_subcommand("chat", "one answer, or a conversation when there is no PROMPT");
    verb->add_option("PROMPT", arguments->words, "what to ask; the answer goes to stdout");
    verb->add_option("--model", arguments->model, "the model to talk to: starter, a path to a .gguf file, or hf://…")
        ->type_name("REF");
    verb->add_option(
            "--url", arguments->url,
            "an OpenAI-compatible server to talk to (default: the node that runs here, else an engine of its own)")
        ->type_name("URL");
    verb->add_option("--system", arguments->chat.system, "what the model is told first")->type_name("TEXT");
    verb->add_option("--temperature", arguments->chat.temperature, "0: always the likeliest word (default 0.7)")
        ->type_name("T")
        ->check(CLI::Range(0.0, 5.0));
    verb->add_option("--top-p", arguments->chat.top_p, "draw from the likeliest words only (default 0.95)")
        ->type_name("P")
        ->check(CLI::Range(0.0, 1.0));
    verb->add_option("--max-tokens", arguments->chat.max_tokens, "end the answer after so many tokens")
        ->type_name("N")
        ->check(CLI::Range(1, 10'000'000));
    verb->add_option("--seed", arguments->chat.seed, "the same seed gives the same answer")->type_name("N");
    add_settings(
        *verb, arguments->given,
        {"data-dir", "api-key-file", "ctx", "slots", "threads", "gpu-layers", "draft", "hub-url", "log-level"});
    verb->callback([arguments, &run] { run = [arguments] { return chat(*arguments); }; });
}

}  // namespace starling::cli

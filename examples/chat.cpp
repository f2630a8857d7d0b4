// Asks a running node, and writes the answer as it comes:
//
//   starling serve                                              # in another terminal
//   example_chat http://127.0.0.1:9337 "What is the capital of Japan?"
//
// A node with keys: STARLING_API_KEY in the environment, which other users of the machine cannot read. Ctrl-C stops the
// answer. Exit status: 0; 1 with one sentence on stderr; 2 for wrong usage.
#include <starling/client.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace sdk = starling::sdk;

namespace {

volatile std::sig_atomic_t interrupted = 0;

bool show(const sdk::delta& piece) {
    std::cout << piece.text << std::flush;
    return interrupted == 0;  // false: the connection closes, and the node works on it no longer
}

int fail(const sdk::error& why) {
    std::cerr << why.message << '\n';
    return 1;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::cerr << "usage: example_chat URL PROMPT\n";
        return 2;
    }
    std::signal(SIGINT, [](int) { interrupted = 1; });

    const char* key = std::getenv("STARLING_API_KEY");
    const auto node = sdk::client::connect({.url = arguments[1], .api_key = key != nullptr ? key : ""});
    if (!node) return fail(node.error());

    const auto models = node->models();
    if (!models) return fail(models.error());
    for (const sdk::model& one : *models) {
        std::cerr << "model " << one.id << ", " << one.context_length << " tokens\n";
    }

    const sdk::chat_request request{.messages = {{.content = arguments[2]}}, .temperature = 0};
    const auto answer = node->chat(request, show);
    std::cout << '\n';
    if (!answer) return fail(answer.error());
    std::cerr << "served by " << answer->served_by << '\n';
}

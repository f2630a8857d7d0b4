// Becomes a member of a mesh, asks it, and leaves: no node has to run on this machine.
//
//   starling invite --role client                               # where a node runs
//   STARLING_JOIN=starling:… example_join ./my-node "What is the capital of Japan?"
//
// The invite is used once; afterwards the folder (here ./my-node) is what lets this program in. Exit status: 0; 1 with
// one sentence on stderr; 2 for wrong usage.
#include <starling/client.hpp>

#include <cstdlib>
#include <iostream>

namespace sdk = starling::sdk;

int main(int count, char** arguments) {
    const char* invite = std::getenv("STARLING_JOIN");
    if (count != 3 || invite == nullptr) {
        std::cerr << "usage: STARLING_JOIN=INVITE example_join FOLDER PROMPT\n";
        return 2;
    }
    const auto mesh = sdk::client::join({.invite = invite, .data_dir = arguments[1], .name = "example"});
    if (!mesh) {
        std::cerr << mesh.error().message << '\n';
        return 1;
    }
    const auto answer = mesh->chat({.messages = {{.content = arguments[2]}}, .temperature = 0});
    if (!answer) {
        std::cerr << answer.error().message << '\n';
        return 1;
    }
    std::cout << answer->text << '\n';
    std::cerr << "in mesh " << mesh->node().mesh_id << ", served by " << answer->served_by << '\n';
}

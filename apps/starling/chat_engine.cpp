#include "chat_engine.hpp"

#include "node/running_node.hpp"
#include "own_engine.hpp"
#include "remote_engine.hpp"

#include <utility>

namespace starling::cli {

result<std::unique_ptr<chat_engine>> open_chat_engine(chat_target target, interrupts& keyboard) {
    remote_target remote;
    remote.model = target.model;
    remote.api_key_file = target.config.api_key_file;
    if (!target.url.empty()) {
        remote.url = target.url;
        return open_remote_engine(std::move(remote), keyboard);
    }
    if (const auto running = node::find_running(target.config.data_dir)) {
        remote.url = running->api_url;
        if (remote.api_key_file.empty()) {
            remote.api_key_file = running->api_key_file;
        }
        auto engine = open_remote_engine(std::move(remote), keyboard);
        // A model that the running node does not serve is loaded here.
        if (engine || target.model.empty() || !(engine.error() == node::errc::model)) {
            return engine;
        }
        auto own = open_own_engine(std::move(target.config), target.model, keyboard);
        if (!own && own.error() == node::errc::model) {  // it may be one that waits for machines
            return fail(node::errc::model,
                        own.error().message + "; nor does the node that runs here serve it now, see: starling status");
        }
        return own;
    }
    return open_own_engine(std::move(target.config), target.model, keyboard);
}

}  // namespace starling::cli

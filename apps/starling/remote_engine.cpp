// A chat with a running node or another server.
#include "remote_engine.hpp"

#include "background.hpp"
#include "models/reference.hpp"
#include "node/key_file.hpp"
#include "upstream/upstream.hpp"
#include "wait.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace starling::cli {

namespace {

class remote_engine final : public chat_engine {
  public:
    remote_engine(std::unique_ptr<background> work, std::shared_ptr<engine::generator> generator, std::string model,
                  std::string place)
        : work_(std::move(work)),
          generator_(std::move(generator)),
          model_(std::move(model)),
          place_(std::move(place)) {}

    boost::asio::any_io_executor executor() override { return work_->executor(); }
    engine::generator& generator() override { return *generator_; }
    const std::string& model() const override { return model_; }
    const std::string& place() const override { return place_; }

  private:
    std::unique_ptr<background> work_;
    std::shared_ptr<engine::generator> generator_;
    std::string model_;
    std::string place_;
};

/// The name that a server has for what a person called it; empty when the server has no such model.
std::string name_there(const std::string& wanted, const std::vector<std::string>& names) {
    if (wanted.empty()) {
        return names.empty() ? std::string{} : names.front();
    }
    if (std::find(names.begin(), names.end(), wanted) != names.end()) {
        return wanted;
    }
    const auto reference = models::parse_reference(wanted);
    if (reference && std::find(names.begin(), names.end(), reference->id()) != names.end()) {
        return reference->id();
    }
    return {};
}

}  // namespace

result<std::unique_ptr<chat_engine>> open_remote_engine(remote_target target, interrupts& keyboard) {
    auto work = background::create();
    if (!work) {
        return work.error();
    }
    upstream::options options;
    options.base_url = target.url;
    options.title = "The server";
    options.key_flag = "--api-key-file";
    if (!target.api_key_file.empty()) {
        auto keys = node::read_keys(target.api_key_file);
        if (!keys) {
            return keys.error();
        }
        options.api_key = keys->front();
    }
    auto listing = upstream::list_models(options, (*work)->http());
    auto names = wait_for((*work)->executor(), std::move(listing), keyboard);
    if (!names) {
        return fail(node::errc::stopped, "Stopped.");
    }
    if (!*names) {
        return names->error();
    }
    options.id = name_there(target.model, **names);
    if (options.id.empty()) {
        return fail(node::errc::model, target.model.empty()
                                           ? "The server at " + target.url + " serves no model."
                                           : "The server at " + target.url + " does not serve '" + target.model + "'.");
    }
    const std::string model = options.id;
    auto generator = upstream::create(std::move(options), (*work)->http());
    if (!generator) {
        return generator.error();
    }
    return std::make_unique<remote_engine>(std::move(*work), std::move(*generator), model,
                                           "the server at " + target.url);
}

}  // namespace starling::cli

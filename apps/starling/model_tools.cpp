#include "model_tools.hpp"

#include "built_in.hpp"
#include "node/model_files.hpp"
#include "node/private_file.hpp"

namespace starling::cli {

result<model_tools> open_tools(const given_settings& given) {
    auto settings = load_config(given);
    if (!settings) {
        return settings.error();
    }
    if (auto prepared = node::prepare_data_dir(settings->data_dir); !prepared) {
        return prepared.error();
    }
    model_tools out;
    auto work = background::create();
    if (!work) {
        return work.error();
    }
    out.work = std::move(*work);
    auto store = node::make_store(*settings, built_in_starter(), out.work->http());
    if (!store) {
        return store.error();
    }
    out.store = std::move(*store);
    return out;
}

}  // namespace starling::cli

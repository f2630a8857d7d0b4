#include "node/model_files.hpp"

#include "base/memory.hpp"
#include "llama/llama.hpp"

#include <algorithm>

namespace starling::node {

namespace {

/// Never 0, which would mean that nobody knows.
std::uint64_t what_is_left(std::uint64_t of, std::uint64_t taken) {
    return of > taken ? of - taken : 1;
}

}  // namespace

std::uint64_t memory_for_models(const settings::config& settings, memory_in_use others) {
    std::uint64_t memory = machine_memory().available;
    if (memory != 0 && settings.gpu_layers != 0) {
        for (const llama::device_info& device : llama::devices()) {
            // An integrated GPU shares the memory that is counted already.
            memory += device.kind == "gpu" ? device.memory_free : 0;
        }
    }
    if (memory != 0) {
        memory = what_is_left(memory, others.loading_bytes);
    }
    if (settings.memory_bytes == 0) {
        return memory;
    }
    const std::uint64_t limit = what_is_left(settings.memory_bytes, others.loaded_bytes + others.loading_bytes);
    return memory == 0 ? limit : std::min(memory, limit);
}

std::uint64_t memory_for_fetching(const settings::config& settings) {
    const bool is_to_be_cut = settings.split == settings::split_mode::exactly && settings.split_stages > 1;
    return is_to_be_cut ? 0 : memory_for_models(settings);
}

result<std::unique_ptr<models::model_store>> make_store(const settings::config& settings,
                                                        std::span<const std::byte> starter, fetch::client& client) {
    models::store_options options;
    options.data_dir = settings.data_dir;
    options.hub_url = settings.hub_url;
    options.hub_token = settings.hub_token;
    options.starter = starter;
    options.context = settings.context;
    options.slots = std::max(settings.slots, 1);
    options.memory_bytes = memory_for_fetching(settings);
    return models::model_store::create(std::move(options), client);
}

}  // namespace starling::node

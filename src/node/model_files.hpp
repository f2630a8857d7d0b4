// The store of model files, made from the configuration: for the node, and for the verbs that work on files alone.
#pragma once

#include "base/result.hpp"
#include "models/models.hpp"
#include "settings/config.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace starling::node {

/// By estimate; what is loaded is missing already from what the system has free, what is loading is not.
struct memory_in_use {
    std::uint64_t loaded_bytes = 0;
    std::uint64_t loading_bytes = 0;
};

/// Memory that one more model may take here: what the system has free, and what its GPUs have free unless `gpu_layers`
/// is 0. 0 when the system does not say.
std::uint64_t memory_for_models(const settings::config& settings, memory_in_use others = {});

/// Of a model that is to be fetched; 0: any size, since it is to be cut (--split N) or the system does not say.
std::uint64_t memory_for_fetching(const settings::config& settings);

/// What does not fit into memory is not fetched, unless it is to be cut (--split N). `starter` and `client` must
/// outlive the store. Errors: models::errc.
result<std::unique_ptr<models::model_store>> make_store(const settings::config& settings,
                                                        std::span<const std::byte> starter, fetch::client& client);

}  // namespace starling::node

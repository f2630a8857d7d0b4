// Where a model goes, in the same way for those who only ask and for those who then do it.
#pragma once

#include "api/mesh_view.hpp"
#include "gguf/gguf.hpp"
#include "models/models.hpp"
#include "node/split_shape.hpp"
#include "plan/plan.hpp"
#include "settings/config.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace starling::node {

/// Of a model that may be cut: it is the same on all machines, so that it is not chosen by what one of them has free.
struct split_size {
    std::uint32_t context = 0;  // tokens of one slot
    std::uint32_t slots = 0;
};
split_size choose_split_size(const settings::config& settings, const gguf::file_header& header);

/// What may be lent of so many free bytes: all of it where --memory says how much.
std::uint64_t lendable_bytes(const settings::config& settings, std::uint64_t free_bytes);

/// make_plan, with the reason why a model stays whole where it cannot be cut, whatever was wished for.
result<plan::placement> place_model(const measured_shape& of, std::span<const plan::machine> machines,
                                    const plan::network& links, plan::wish what);

/// What is asked of the planner, but for who coordinates and what is loaded already.
struct plan_subject {
    measured_shape measured;
    plan::wish wish;
};

/// `how` says how to split it, its context and its slots. Blocks for some tens of milliseconds. Errors: those of gguf
/// and llama.
result<plan_subject> measure_subject(const stage_file& whole, const std::string& name, const settings::config& how,
                                     const std::filesystem::path& scratch);

/// With this machine alone, where no node runs. Blocks for some tenths of a second. Errors: those of models, gguf,
/// llama and plan.
result<plan::placement> plan_alone(const settings::config& settings, models::model_store& store,
                                   const models::reference& which);

/// As it is told to people and programs.
api::model_plan told(const plan::placement& from);

}  // namespace starling::node

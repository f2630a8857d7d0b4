#include "llama/dry_run.hpp"

#include "gguf/gguf.hpp"
#include "llama/backend.hpp"

#include <common.h>
#include <fit.h>
#include <fmt/format.h>
#include <llama.h>

#include <algorithm>
#include <mutex>

namespace starling::llama {

namespace {

// The measuring function of llama-common swaps the process's log sink while it runs.
std::mutex one_at_a_time;

}  // namespace

result<stage_memory> measure_stage(const std::filesystem::path& slice, stage_options options) {
    if (static_cast<std::int64_t>(options.context) * options.sequences > max_measured_tokens) {
        return fail(
            errc::load_failed,
            fmt::format("{} x {} tokens of context are more than the {} that a model can keep here; choose less "
                        "context or fewer slots.",
                        options.sequences, options.context, max_measured_tokens));
    }
    const auto header = gguf::read_header(slice);
    if (!header) {
        return header.error();
    }
    if (auto checked = gguf::check_model(*header); !checked) {
        return checked.error();
    }
    const auto seams = gguf::seams_of(*header);
    if (!seams) {
        return seams.error();
    }
    start_backend();
    options.threads = std::max(1, options.threads);
    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    const llama_context_params params = context_params(options, !seams->capture.empty());
    const std::lock_guard lock(one_at_a_time);
    take_logged_error();
    try {
        std::vector<ggml_backend_dev_t> devices;
        std::uint32_t gpu_layers = 0;
        std::uint32_t trained_context = 0;
        std::uint32_t experts = 0;
        stage_memory out;
        for (const auto& one : common_get_device_memory_data(slice.c_str(), &model_params, &params, devices, gpu_layers,
                                                             trained_context, experts, GGML_LOG_LEVEL_ERROR)) {
            out.cache_bytes += one.context;
            out.compute_bytes += one.compute;
        }
        // The buffer that logits come out through is not counted there.
        out.compute_bytes += static_cast<std::uint64_t>(params.n_outputs_max) *
                             static_cast<std::uint64_t>(std::max<std::int64_t>(1, header->vocabulary_size())) *
                             sizeof(float);
        return out;
    } catch (const std::exception& e) {
        const std::string logged = take_logged_error();
        return fail(errc::load_failed, fmt::format("cannot find out what {} takes: {}", slice.string(),
                                                   logged.empty() ? e.what() : logged));
    }
}

}  // namespace starling::llama

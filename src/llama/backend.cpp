#include "llama/backend.hpp"

#include "llama/llama.hpp"

#include <ggml-backend.h>
#include <ggml.h>
#include <llama.h>
#include <log.h>

#include <mutex>
#include <utility>

namespace starling::llama {

namespace {

// llama.cpp reports the reason of a failed load only through its log, on the thread that loads.
thread_local std::string logged_error;

void keep_errors(ggml_log_level level, const char* text, void*) {
    if (level != GGML_LOG_LEVEL_ERROR) {
        return;
    }
    logged_error = text;
    while (!logged_error.empty() && logged_error.back() == '\n') {
        logged_error.pop_back();
    }
}

const char* kind_of(ggml_backend_dev_t device) {
    switch (ggml_backend_dev_type(device)) {
        case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU: return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU: return "igpu";
        default: return "accelerator";
    }
}

}  // namespace

void start_backend() {
    static std::once_flag once;
    std::call_once(once, [] {
        llama_log_set(keep_errors, nullptr);
        common_log_set_verbosity_thold(-1);
        ggml_backend_load_all();
        llama_backend_init();
    });
}

std::string take_logged_error() {
    return std::exchange(logged_error, {});
}

std::vector<device_info> devices() {
    start_backend();
    std::vector<device_info> found;
    for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        std::size_t free = 0;
        std::size_t total = 0;
        ggml_backend_dev_memory(device, &free, &total);
        found.push_back({.name = ggml_backend_dev_name(device),
                         .description = ggml_backend_dev_description(device),
                         .kind = kind_of(device),
                         .memory_total = total,
                         .memory_free = free});
    }
    return found;
}

std::string version() {
#ifdef STARLING_LLAMA_TAG
    return STARLING_LLAMA_TAG;
#else
    return std::string("a source tree of its own, ggml ") + ggml_version();
#endif
}

std::string system_info() {
    start_backend();
    return llama_print_system_info();
}

}  // namespace starling::llama

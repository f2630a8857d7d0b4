#include "llama/huge_pages.hpp"

#include <ggml-backend.h>

#include <cstddef>
#include <memory>

#ifdef __linux__
#include <linux/mman.h>  // MADV_COLLAPSE, which older C libraries do not name
#include <sys/mman.h>
#endif

namespace starling::llama {

namespace {

void collapse([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t size) {
#ifdef MADV_COLLAPSE
    constexpr std::size_t huge = std::size_t{2} << 20;
    std::size_t room = size;
    if (std::align(huge, huge, begin, room) != nullptr) {
        madvise(begin, room / huge * huge, MADV_COLLAPSE);
    }
#endif
}

}  // namespace

void huge_pages::note(const ggml_tensor* node) {
    for (int i = 0; !done_ && i < GGML_MAX_SRC; ++i) {
        const ggml_tensor* source = node->src[i];
        ggml_backend_buffer* buffer = source == nullptr ? nullptr : source->buffer;
        if (buffer != nullptr && ggml_backend_buffer_is_host(buffer) &&
            ggml_backend_buffer_get_usage(buffer) != GGML_BACKEND_BUFFER_USAGE_COMPUTE) {
            seen_.insert(buffer);
        }
    }
}

void huge_pages::apply() {
    done_ = true;
    for (ggml_backend_buffer* buffer : seen_) {
        collapse(ggml_backend_buffer_get_base(buffer), ggml_backend_buffer_get_size(buffer));
    }
    seen_.clear();
}

}  // namespace starling::llama

// library: gguf
// Plans of slices from headers of arbitrary bytes, as a node would get them from another. The first two bytes choose
// how much larger the file is than what is given of it; the next two a range of layers that is tried beside the others.
#include "gguf/slice.hpp"

#include <cstdlib>

namespace {

using namespace starling;

// What is planned must be a file that our own reader takes, and whose bytes are there.
void check_plan(const gguf::file_header& from, const gguf::slice_plan& plan) {
    if (plan.sources.size() != plan.header.tensors.size()) {
        std::abort();
    }
    for (std::size_t i = 0; i < plan.sources.size(); ++i) {
        const auto bytes = plan.header.tensors[i].bytes;
        if (plan.sources[i] && (*plan.sources[i] > from.file_size || bytes > from.file_size - *plan.sources[i])) {
            std::abort();
        }
    }
    if (gguf::fetched_bytes(plan) > from.file_size) {
        std::abort();
    }
    const auto again = gguf::parse_header(std::as_bytes(std::span(plan.header_bytes)), plan.header.file_size);
    // Only what a slice adds can be too much for the reader's limits.
    const bool near_limits = plan.header.metadata.size() > gguf::max_metadata_entries;
    if (!near_limits && (!again || again->tensors.size() != plan.header.tensors.size() || !gguf::origin_of(*again))) {
        std::abort();
    }
}

void check(const gguf::file_header& header, gguf::layer_range layers) {
    const auto stage = gguf::check_stage(header, layers);
    const auto plan = gguf::plan_slice(header, layers, "");
    if (plan) {
        if (!stage) {
            std::abort();
        }
        check_plan(header, *plan);
        (void)gguf::seams_of(plan->header);
    } else if (plan.error().message.empty()) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) {
        return 0;
    }
    const std::uint64_t beyond = static_cast<std::uint64_t>(data[0]) << (data[1] % 56);
    const std::span given(reinterpret_cast<const std::byte*>(data) + 4, size - 4);
    const auto header = gguf::parse_header(given, given.size() + beyond);
    if (!header) {
        return 0;
    }
    const auto origin = gguf::origin_of(*header);
    const std::int32_t first = origin ? origin->layers.first : 0;
    const std::int32_t end = origin ? origin->layers.end : static_cast<std::int32_t>(header->layers() & 0x3FF);
    const auto cuts = gguf::legal_cuts(*header);
    for (const std::int32_t cut : cuts ? *cuts : std::vector<std::int32_t>{}) {
        if (!gguf::check_stage(*header, {0, cut}) || !gguf::check_stage(*header, {cut, end})) {
            std::abort();
        }
    }
    (void)gguf::seams_of(*header);
    const std::int32_t middle = first + (end - first) / 2;
    for (const gguf::layer_range layers :
         {gguf::layer_range{first, middle}, {middle, end}, {first, end}, {middle, middle + 1}, {data[2], data[3]}}) {
        check(*header, layers);
    }
    return 0;
}

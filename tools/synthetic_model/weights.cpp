#include "weights.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace starling::tools {

namespace {

// Enough rows at once to keep the disk busy, few enough that memory stays small for any model.
constexpr std::int64_t step_elements = 1 << 18;

void fill_row(float* row, std::int64_t count, const filling& how, std::uint64_t key, std::uint64_t first) {
    const float scale = how.deviation * std::sqrt(3.0F);
    for (std::int64_t i = 0; i < count; i += 4) {
        const auto bits = philox4x32(key, (first + static_cast<std::uint64_t>(i)) / 4);
        for (std::int64_t j = 0; j < std::min<std::int64_t>(4, count - i); ++j) {
            const float unit = static_cast<float>(bits[static_cast<std::size_t>(j)] >> 8) * 0x1.0p-23F - 1.0F;
            row[i + j] = unit * scale;
        }
    }
}

}  // namespace

bool write_weights(const ggml_tensor& tensor, const filling& how, std::uint64_t seed, std::uint64_t stream,
                   const std::function<bool(std::string_view)>& write) {
    const std::int64_t width = tensor.ne[0];
    const std::int64_t rows = ggml_nrows(&tensor);
    const std::int64_t step = std::clamp<std::int64_t>(step_elements / width, 1, rows);
    // Rows of a width that is not a multiple of four begin at whole blocks of the generator too.
    const auto stride = static_cast<std::uint64_t>((width + 3) / 4 * 4);
    const std::uint64_t key = seed * 0x9E3779B97F4A7C15ULL + stream;
    std::vector<float> values(static_cast<std::size_t>(step * width));
    std::string bytes(ggml_row_size(tensor.type, width) * static_cast<std::size_t>(step), '\0');
    for (std::int64_t first = 0; first < rows; first += step) {
        const std::int64_t count = std::min(step, rows - first);
        for (std::int64_t i = 0; i < count; ++i) {
            float* row = values.data() + i * width;
            if (how.deviation == 0.0F || (how.empty_row && how.empty_row(first + i))) {
                std::fill(row, row + width, how.deviation == 0.0F ? how.constant : 0.0F);
            } else {
                fill_row(row, width, how, key, static_cast<std::uint64_t>(first + i) * stride);
            }
        }
        const std::size_t size =
            ggml_quantize_chunk(tensor.type, values.data(), bytes.data(), 0, count, width, nullptr);
        if (!write(std::string_view(bytes).substr(0, size))) {
            return false;
        }
    }
    return true;
}

}  // namespace starling::tools

#include "shape.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace starling::tools {

namespace {

constexpr std::int64_t head_length = 64;
constexpr std::int64_t largest_embedding = 8192;
constexpr double embedding_per_layer = 64.0;  // width over depth of models around 100 M parameters
constexpr double size_weight = 20.0;          // meeting the size matters more than the proportions

std::int64_t round_to(double value, std::int64_t step) {
    return std::max<std::int64_t>(step, std::llround(value / static_cast<double>(step)) * step);
}

void fill_widths(model_shape& shape) {
    if (shape.heads == 0) {
        shape.heads = std::max<std::int64_t>(1, shape.embedding / head_length);
    }
    if (shape.kv_heads == 0) {
        shape.kv_heads = shape.heads % 4 == 0 ? shape.heads / 4 : shape.heads % 2 == 0 ? shape.heads / 2 : shape.heads;
    }
    if (shape.feed_forward == 0) {
        shape.feed_forward = round_to(static_cast<double>(shape.embedding) * 8.0 / 3.0, 64);
    }
}

std::int64_t layer_parameters(const model_shape& s) {
    const std::int64_t attention = 2 * s.embedding * s.embedding + 2 * s.embedding * s.kv_width();
    const std::int64_t router = s.experts * s.embedding;
    return attention + router + 3 * s.embedding * s.feed_forward * std::max<std::int64_t>(s.experts, 1) +
           2 * s.embedding;
}

}  // namespace

std::int64_t model_shape::parameters() const {
    return layers * layer_parameters(*this) + 2 * vocabulary * embedding + embedding;
}

model_shape choose_shape(model_shape given, std::int64_t parameters) {
    model_shape best;
    double best_cost = INFINITY;
    const std::int64_t first = given.embedding != 0 ? given.embedding : head_length;
    const std::int64_t last = given.embedding != 0 ? given.embedding : largest_embedding;
    // Wide models in steps of four heads, so that query heads can share key-value heads.
    for (std::int64_t embedding = first; embedding <= last;
         embedding += embedding < 4 * head_length ? head_length : 4 * head_length) {
        model_shape tried = given;
        tried.embedding = embedding;
        fill_widths(tried);
        if (tried.layers == 0) {
            const double left = static_cast<double>(parameters - 2 * tried.vocabulary * embedding);
            tried.layers = std::max<std::int64_t>(1, std::llround(left / static_cast<double>(layer_parameters(tried))));
        }
        const double proportion =
            static_cast<double>(embedding) / static_cast<double>(tried.layers) / embedding_per_layer;
        const double size = static_cast<double>(tried.parameters()) / static_cast<double>(parameters);
        const double cost = std::abs(std::log(proportion)) + size_weight * std::abs(std::log(size));
        if (cost < best_cost) {
            best_cost = cost;
            best = tried;
        }
    }
    return best;
}

std::string shape_problem(const model_shape& s) {
    if (s.layers < 1 || s.embedding < 1 || s.feed_forward < 1 || s.heads < 1 || s.kv_heads < 1) {
        return "every size must be at least 1";
    }
    if (s.embedding % s.heads != 0 || s.head_length() % 2 != 0) {
        return "--embd must be an even multiple of --heads";
    }
    if (s.heads % s.kv_heads != 0) {
        return "--heads must be a multiple of --kv-heads";
    }
    if (s.experts != 0 && (s.experts_used < 1 || s.experts_used > s.experts)) {
        return "--experts-used must be from 1 to --experts";
    }
    return "";
}

std::int64_t parse_count(const std::string& text) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    const std::string unit = end;
    const double factor = unit.empty() ? 1 : unit == "K" ? 1e3 : unit == "M" ? 1e6 : unit == "B" ? 1e9 : 0;
    const double count = number * factor;
    return count >= 1 && count < 1e13 ? std::llround(count) : 0;
}

}  // namespace starling::tools

#include "gguf/split_rules.hpp"

#include <algorithm>
#include <array>

namespace starling::gguf {

namespace {

// Sorted.
constexpr auto table = std::to_array<split_rule>({
    {"arcee"},      {"arctic"},     {"baichuan"},  {"bailingmoe"}, {"bailingmoe2"},   {"chatglm"},
    {"codeshell"},  {"command-r"},  {"dbrx"},      {"deci"},       {"deepseek"},      {"deepseek2"},
    {"deepseek32"}, {"dots1"},      {"dream"},     {"ernie4_5"},   {"exaone"},        {"exaone4"},
    {"falcon"},     {"falcon-h1"},  {"glm-dsa"},   {"glm4"},       {"glm4moe"},       {"gptneox"},
    {"granite"},    {"granitemoe"}, {"grok"},      {"grovemoe"},   {"hunyuan-dense"}, {"hunyuan-moe"},
    {"hunyuan_vl"}, {"hy_v3"},      {"internlm2"}, {"jais"},       {"jais2"},         {"llada"},
    {"llada-moe"},  {"llama"},      {"maincoder"}, {"mamba"},      {"mamba2"},        {"minicpm"},
    {"minimax-m2"}, {"minimax-m3"}, {"mistral3"},  {"mistral4"},   {"nanbeige"},      {"nemotron"},
    {"olmo"},       {"olmoe"},      {"openelm"},   {"orion"},      {"paddleocr"},     {"pangu-embedded"},
    {"phi2"},       {"phi3"},       {"phimoe"},    {"plamo"},      {"pockettts"},     {"qwen"},
    {"qwen2"},      {"qwen2moe"},   {"qwen2vl"},   {"qwen3"},      {"qwen3moe"},      {"qwen3tts"},
    {"qwen3vl"},    {"qwen3vlmoe"}, {"refact"},    {"rnd1"},       {"seed_oss"},      {"stablelm"},
    {"starcoder2"}, {"xverse"},
});

constexpr bool by_architecture(const split_rule& a, const split_rule& b) {
    return a.architecture < b.architecture;
}
static_assert(std::is_sorted(table.begin(), table.end(), by_architecture));

}  // namespace

const split_rule* find_split_rule(std::string_view architecture) {
    const auto* found =
        std::lower_bound(table.begin(), table.end(), architecture,
                         [](const split_rule& row, std::string_view wanted) { return row.architecture < wanted; });
    return found != table.end() && found->architecture == architecture ? found : nullptr;
}

std::string_view refusal(std::string_view) {
    return "its stages have not been shown to compute the same as the whole";
}

}  // namespace starling::gguf

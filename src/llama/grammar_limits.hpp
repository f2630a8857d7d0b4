// Which grammars llama.cpp is given. Its parser unrolls repetitions, recurses into parentheses, and counts down from
// the smaller to the larger number of a{5,3} until memory is full; a client must not be able to make it do that.
//
// Pure: a single pass over the text, which need not be a grammar at all (the parser complains about those).
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace starling::llama {

inline constexpr std::size_t max_grammar_nesting = 64;          // parentheses: each is a few stack frames
inline constexpr std::uint64_t max_grammar_elements = 500'000;  // after unrolling, of 8 bytes each
inline constexpr std::size_t max_grammar_rules = 5'000;         // a rule that names a rule is a stack frame, too

/// Error: engine::errc::invalid_request, with what is too much.
result<void> check_grammar(std::string_view gbnf);

}  // namespace starling::llama

// Why a model cannot be placed.
#pragma once

#include "base/result.hpp"

namespace starling::plan {

enum class errc {
    invalid = 1,       // the model or the wish contradicts itself
    no_machine,        // nobody is left to ask
    no_coordinator,    // nobody that may coordinate
    too_large,         // not enough memory, in whatever way it is cut
    cannot_split,      // it would have to be split, and may not or cannot be
    too_few_machines,  // fewer than the stages that were asked for
};

constexpr const char* category_name(errc) {
    return "plan";
}

constexpr const char* describe(errc e) {
    switch (e) {
        case errc::invalid: return "the request for a plan is not valid";
        case errc::no_machine: return "no machine can take part";
        case errc::no_coordinator: return "no machine may coordinate";
        case errc::too_large: return "not enough memory";
        case errc::cannot_split: return "the model cannot be split";
        case errc::too_few_machines: return "not enough machines";
    }
    return "unknown error";
}

}  // namespace starling::plan

template <>
struct std::is_error_code_enum<starling::plan::errc> : std::true_type {};

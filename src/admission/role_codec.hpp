// A role as one byte, in every form that admission writes.
#pragma once

#include "admission/admission.hpp"

namespace starling::admission {

inline std::optional<role> role_of(std::uint8_t value) {
    for (const role one : {role::worker, role::client}) {
        if (value == static_cast<std::uint8_t>(one)) {
            return one;
        }
    }
    return std::nullopt;
}

}  // namespace starling::admission

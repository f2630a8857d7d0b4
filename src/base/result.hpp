// Expected failure as a value.
//
// `result<T>` holds a T or an `error`: a code from one library's `errc` enum, so that callers can decide, and one plain
// sentence for the person in front: what happened, to what, what to do. Exceptions are for start-up and for bugs.
#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace starling {

struct error {
    std::error_code code;
    std::string message;
};

template <class T>
using result = boost::system::result<T, error>;

/// Called by boost::system::result when value() is asked of an error; found by argument-dependent lookup.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
    throw std::system_error(e.code, e.message);
}

/// The category of an `errc` enum. `E` needs `const char* category_name(E)` and `const char* describe(E)` beside it.
template <class E>
class enum_category final : public std::error_category {
  public:
    const char* name() const noexcept override { return category_name(E{}); }
    std::string message(int value) const override { return describe(static_cast<E>(value)); }

    static const std::error_category& instance() {
        static const enum_category category;
        return category;
    }
};

template <class E>
    requires std::is_error_code_enum_v<E>
error fail(E code, std::string message) {
    return error{std::error_code(static_cast<int>(code), enum_category<E>::instance()), std::move(message)};
}

/// True when `e` carries exactly this code.
template <class E>
    requires std::is_error_code_enum_v<E>
bool operator==(const error& e, E code) {
    return e.code == std::error_code(static_cast<int>(code), enum_category<E>::instance());
}

}  // namespace starling

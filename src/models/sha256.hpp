// SHA-256 of bytes that come in pieces (FIPS 180-4).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace starling::models {

class sha256 {
  public:
    sha256();
    sha256(sha256&&) noexcept;
    sha256& operator=(sha256&&) noexcept;
    ~sha256();

    void update(std::string_view bytes);
    /// 64 hex digits of everything so far; begins anew.
    std::string take_hex();

  private:
    struct state;
    std::unique_ptr<state> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace starling::models

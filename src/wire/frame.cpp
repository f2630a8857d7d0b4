#include "wire/frame.hpp"

namespace starling::wire {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t worth_moving = 64 << 10;  // taken bytes before the rest is moved to the front

}  // namespace

bytes framed(std::string_view payload) {
    byte_writer out;
    out.u32(static_cast<std::uint32_t>(payload.size()));
    out.raw({reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()});
    return out.take();
}

void frame_reader::push(std::span<const std::uint8_t> piece) {
    if (taken_ == held_.size()) {
        held_.clear();
        taken_ = 0;
    } else if (taken_ >= worth_moving) {
        held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(taken_));
        taken_ = 0;
    }
    held_.insert(held_.end(), piece.begin(), piece.end());
}

result<std::optional<std::string>> frame_reader::next() {
    byte_reader from(std::span<const std::uint8_t>(held_).subspan(taken_));
    const std::size_t size = from.u32();
    if (!from.ok()) {
        return std::optional<std::string>();
    }
    if (size > limit_) {
        return fail(errc::too_large, "A message of " + std::to_string(size) + " bytes was announced; at most " +
                                         std::to_string(limit_) + " are taken.");
    }
    const auto rest = from.left();
    if (rest.size() < size) {
        return std::optional<std::string>();
    }
    taken_ += length_bytes + size;
    return std::optional<std::string>(std::in_place, rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
}

bytes frame_reader::take_rest() {
    bytes out(held_.begin() + static_cast<std::ptrdiff_t>(taken_), held_.end());
    held_.clear();
    taken_ = 0;
    return out;
}

}  // namespace starling::wire

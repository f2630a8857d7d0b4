#include "quic/send_buffer.hpp"

#include <algorithm>

namespace starling::quic {

void send_buffer::push(std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) {
        return;
    }
    held_ += bytes.size();
    unsent_ += bytes.size();
    if (!chunks_.empty()) {
        auto& last = chunks_.back();
        const auto fits = bytes.first(std::min(bytes.size(), last.capacity() - last.size()));
        last.insert(last.end(), fits.begin(), fits.end());
        bytes = bytes.subspan(fits.size());
    }
    if (!bytes.empty()) {
        auto& chunk = chunks_.emplace_back();
        chunk.reserve(std::max(bytes.size(), smallest_chunk));
        chunk.assign(bytes.begin(), bytes.end());
    }
}

std::size_t send_buffer::unsent(std::span<std::span<const std::uint8_t>> out) const {
    std::size_t count = 0;
    std::size_t offset = next_offset_;
    for (std::size_t i = next_chunk_; i < chunks_.size() && count < out.size(); ++i) {
        const auto rest = std::span(chunks_[i]).subspan(offset);
        offset = 0;
        if (!rest.empty()) {
            out[count++] = rest;
        }
    }
    return count;
}

void send_buffer::mark_sent(std::size_t count) {
    unsent_ -= count;
    while (count > 0) {
        const std::size_t left = chunks_[next_chunk_].size() - next_offset_;
        if (count < left) {
            next_offset_ += count;
            return;
        }
        count -= left;
        // The last chunk may still grow: it is left only when there is another.
        if (next_chunk_ + 1 < chunks_.size()) {
            ++next_chunk_;
            next_offset_ = 0;
        } else {
            next_offset_ += left;
        }
    }
}

void send_buffer::mark_acknowledged(std::size_t count) {
    held_ -= count;
    acknowledged_of_first_ += count;
    while (!chunks_.empty() && acknowledged_of_first_ >= chunks_.front().size()) {
        acknowledged_of_first_ -= chunks_.front().size();
        chunks_.pop_front();
        if (next_chunk_ > 0) {
            --next_chunk_;
        } else {
            next_offset_ = 0;  // the chunk was sent to its end, and nothing came after it then
        }
    }
}

}  // namespace starling::quic

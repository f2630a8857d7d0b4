// A UDP carrier on a bad line: drops packets at random in both directions, or all of them.
#pragma once

#include "base/random.hpp"
#include "quic/udp_carrier.hpp"

#include <memory>
#include <utility>

namespace starling::quic {

class lossy_carrier final : public carrier, private packet_sink {
  public:
    lossy_carrier(std::shared_ptr<carrier> beneath, double loss, std::uint64_t seed)
        : beneath_(std::move(beneath)), loss_(loss), seed_(seed) {}

    void set_loss(double share) { loss_ = share; }

    void start(packet_sink& sink) override {
        above_ = &sink;
        beneath_->start(*this);
    }
    void stop() override { beneath_->stop(); }
    address local() const override { return beneath_->local(); }

    bool send(const address& to, std::span<const std::uint8_t> packets, std::size_t packet_size) override {
        for (; !packets.empty(); packets = packets.subspan(std::min(packet_size, packets.size()))) {
            const auto one = packets.first(std::min(packet_size, packets.size()));
            if (!lost()) {
                beneath_->send(to, one, one.size());
            }
        }
        return true;
    }

  private:
    void on_packet(const address& from, std::span<const std::uint8_t> packet) override {
        if (!lost()) {
            above_->on_packet(from, packet);
        }
    }
    void on_full_batch() override { above_->on_full_batch(); }
    void on_writable() override { above_->on_writable(); }
    void on_unreachable(const address& to) override { above_->on_unreachable(to); }

    bool lost() { return uniform_draw(seed_, draws_++) < loss_; }

    std::shared_ptr<carrier> beneath_;
    packet_sink* above_ = nullptr;
    double loss_;
    std::uint64_t seed_;
    std::uint64_t draws_ = 0;
};

}  // namespace starling::quic

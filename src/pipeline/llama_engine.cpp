#include "pipeline/llama_engine.hpp"

#include <atomic>
#include <chrono>
#include <utility>

namespace starling::pipeline {

namespace {

result<void> clear_all(llama::stage& stage, std::int32_t sequences) {
    llama::step forget;
    for (llama::sequence_id sequence = 0; sequence < sequences; ++sequence) {
        forget.edits.emplace_back(llama::truncation{.sequence = sequence, .from = 0});
    }
    return stage.run(forget);
}

class llama_stage_engine final : public stage_engine {
  public:
    llama_stage_engine(std::unique_ptr<llama::stage> stage, layer_range layers, std::int32_t sequences,
                       std::uint64_t memory_bytes)
        : stage_(std::move(stage)), layers_(layers), sequences_(sequences), memory_bytes_(memory_bytes) {}

    layer_range layers() const override { return layers_; }
    std::int32_t width() const override { return stage_->width(); }
    std::uint64_t memory_bytes() const override { return memory_bytes_; }
    result<void> run(const llama::step& step, std::span<const float> in, std::vector<float>* out) override {
        return stage_->run(step, in, out);
    }
    result<void> clear() override { return clear_all(*stage_, sequences_); }
    void interrupt() override { stage_->interrupt(); }

  private:
    std::unique_ptr<llama::stage> stage_;
    layer_range layers_;
    std::int32_t sequences_;
    std::uint64_t memory_bytes_;
};

class llama_final_stage final : public final_stage {
  public:
    llama_final_stage(std::unique_ptr<llama::stage> stage, std::int32_t layers, std::int32_t sequences)
        : stage_(std::move(stage)), layers_(layers), sequences_(sequences) {}

    result<void> run(const llama::step& step, std::span<const float> in) override {
        const auto began = std::chrono::steady_clock::now();
        auto done = stage_->run(step, in, nullptr);
        if (done && !step.tokens.empty()) {
            const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
            const double now = took.count() / static_cast<double>(step.tokens.size());
            const double before = ms_per_token_;
            ms_per_token_ = before == 0.0 ? now : before + newest_share * (now - before);
        }
        return done;
    }
    result<void> clear() override { return clear_all(*stage_, sequences_); }
    void interrupt() override { stage_->interrupt(); }
    llama::stage& stage() override { return *stage_; }
    std::int32_t layers() const override { return layers_; }
    std::int32_t widest() const override { return stage_->widest(); }
    llama::position lowest_position(llama::sequence_id sequence) const override {
        return stage_->lowest_position(sequence);
    }
    std::int32_t sliding_window() const override { return stage_->of().sliding_window(); }
    std::uint64_t sequence_bytes() const override { return stage_->sequence_bytes(); }
    double ms_per_token() const override { return ms_per_token_; }

  private:
    static constexpr double newest_share = 0.2;  // of the mean

    std::unique_ptr<llama::stage> stage_;
    std::int32_t layers_;
    std::int32_t sequences_;
    std::atomic<double> ms_per_token_ = 0.0;
};

}  // namespace

std::unique_ptr<stage_engine> make_stage_engine(std::unique_ptr<llama::stage> stage, layer_range layers,
                                                std::int32_t sequences, std::uint64_t memory_bytes) {
    return std::make_unique<llama_stage_engine>(std::move(stage), layers, sequences, memory_bytes);
}

std::unique_ptr<final_stage> make_final_stage(std::unique_ptr<llama::stage> stage, std::int32_t layers,
                                              std::int32_t sequences) {
    return std::make_unique<llama_final_stage>(std::move(stage), layers, sequences);
}

}  // namespace starling::pipeline

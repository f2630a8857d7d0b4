#include "pipeline/data_codec.hpp"

#include "pipeline/half.hpp"
#include "pipeline/half_rows.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace starling::pipeline {

data_limits limits() {
    return {.deployment = 0x0123'4567'89ab'cdefU,
            .epoch = 3,
            .kind = frame_kind::activations,
            .numbers = number_type::f32,
            .sequences = 4,
            .context = 64,
            .step_tokens = 8,
            .width = 3,
            .stages_before = 2};
}

data_frame frame() {
    data_frame out;
    out.number = 7;
    out.step.edits = {llama::truncation{.sequence = 1, .from = 5}, llama::prefix_copy{.from = 1, .to = 3, .length = 4}};
    out.step.tokens = {{.token = 11, .at = 0, .sequence = 0, .output = false},
                       {.token = 12, .at = 1, .sequence = 0, .output = true},
                       {.token = 13, .at = 63, .sequence = 3, .output = true}};
    out.activations = {1.0F, -2.5F, 0.0F, 4.0F, 5.5F, -6.0F, 7.0F, 8.0F, 9.0F};
    out.computed_us = {1'200, 900};
    return out;
}

bytes written(const data_frame& from, const data_limits& to) {
    bytes out;
    const auto done = encode(from, to, &out);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return out;
}

result<data_frame> read(const bytes& from, const data_limits& by, step_number next = 7) {
    return decode(std::span(from).subspan(frame_length_bytes), by, next);
}

void expect_refused(const bytes& from, errc why, const data_limits& by = limits(), step_number next = 7) {
    const auto got = read(from, by, next);
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == why) << got.error().message;
    EXPECT_FALSE(got.error().message.empty());
}

template <class T>
bytes with(bytes from, std::size_t at, T value) {
    std::memcpy(from.data() + frame_length_bytes + at, &value, sizeof value);
    return from;
}

TEST(DataCodec, AStepArrivesAsItWasSent) {
    for (const auto numbers : {number_type::f32, number_type::f16}) {
        auto by = limits();
        by.numbers = numbers;
        const auto got = read(written(frame(), by), by);
        ASSERT_TRUE(got) << got.error().message;
        EXPECT_EQ(got->number, 7U);
        EXPECT_TRUE(same_step(got->step, frame().step));
        EXPECT_EQ(got->activations, frame().activations) << "these numbers are exact in both types";
        EXPECT_EQ(got->computed_us, frame().computed_us);
    }
}

TEST(DataCodec, TheFirstStageGetsTokensAlone) {
    auto by = limits();
    by.kind = frame_kind::tokens;
    by.stages_before = 0;
    auto sent = frame();
    sent.activations.clear();
    sent.computed_us.clear();
    const auto bytes_sent = written(sent, by);
    EXPECT_EQ(bytes_sent.size(), frame_length_bytes + frame_header_bytes + 2 * 16 + 3 * 12);
    const auto got = read(bytes_sent, by);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(same_step(got->step, sent.step));
    EXPECT_TRUE(got->activations.empty());
    expect_refused(written(frame(), limits()), errc::wrong_shape, by);
    expect_refused(bytes_sent, errc::wrong_shape);
}

TEST(DataCodec, AStepMayHaveNoTokens) {
    auto sent = frame();
    sent.step.tokens.clear();
    sent.activations.clear();
    const auto got = read(written(sent, limits()), limits());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->step.edits.size(), 2U);
}

TEST(DataCodec, BytesAreWhereTheHeaderSays) {
    const auto sent = written(frame(), limits());
    const std::size_t size = sent.size() - frame_length_bytes;
    EXPECT_EQ(size, frame_header_bytes + 2 * 4 + 2 * 16 + 3 * 12 + 9 * 4);
    EXPECT_EQ(sent[2], size >> 8U);
    EXPECT_EQ(sent[3], size & 0xffU);
    const std::uint8_t* at = sent.data() + frame_length_bytes;
    EXPECT_EQ(at[0], 1);
    EXPECT_EQ(at[1], 2);
    EXPECT_EQ(at[2], 2);
    EXPECT_EQ(at[4], 0xef) << "little-endian";
    EXPECT_EQ(at[12], 3);
    EXPECT_EQ(at[16], 7);
    EXPECT_EQ(at[24], 2);
    EXPECT_EQ(at[26], 2);
    EXPECT_EQ(at[28], 3);
    EXPECT_EQ(at[32], 3);
}

TEST(DataCodec, EveryRuleHasItsOutcome) {
    const auto good = written(frame(), limits());
    expect_refused(with(good, 0, std::uint8_t{2}), errc::unsupported);
    expect_refused(with(good, 3, std::uint8_t{1}), errc::unsupported);
    expect_refused(with(good, 36, std::uint32_t{1}), errc::unsupported);
    expect_refused(with(good, 1, std::uint8_t{9}), errc::wrong_shape);
    expect_refused(with(good, 2, std::uint8_t{1}), errc::wrong_shape);
    expect_refused(with(good, 4, std::uint64_t{5}), errc::unknown_deployment);
    expect_refused(with(good, 12, std::uint32_t{2}), errc::stale_epoch);
    expect_refused(with(good, 12, std::uint32_t{4}), errc::malformed);
    expect_refused(good, errc::duplicate_step, limits(), 8);
    expect_refused(good, errc::gap, limits(), 6);
    expect_refused(with(good, 24, std::uint16_t{0xffff}), errc::too_large);
    expect_refused(with(good, 26, std::uint16_t{1}), errc::wrong_shape);
    expect_refused(with(good, 28, std::uint32_t{9}), errc::too_large);
    expect_refused(with(good, 28, std::uint32_t{0xffff'ffffU}), errc::too_large);
    expect_refused(with(good, 28, std::uint32_t{2}), errc::wrong_shape);
    expect_refused(with(good, 32, std::uint32_t{4}), errc::wrong_shape);
    expect_refused(with(good, 32, std::uint32_t{0xffff'ffffU}), errc::wrong_shape);
    auto longer = good;
    longer.push_back(0);
    expect_refused(longer, errc::wrong_shape);
    auto shorter = good;
    shorter.pop_back();
    expect_refused(shorter, errc::wrong_shape);
    for (std::size_t size = 0; size < frame_header_bytes; ++size) {
        EXPECT_TRUE(decode(std::span(good).subspan(frame_length_bytes, size), limits(), 7).error() == errc::malformed);
    }
}

TEST(DataCodec, PlacesThatTheDeploymentDoesNotHaveAreRefused) {
    const auto good = written(frame(), limits());
    constexpr std::size_t edits = frame_header_bytes + 8;
    constexpr std::size_t tokens = edits + 32;
    expect_refused(with(good, edits, std::uint32_t{3}), errc::malformed);
    expect_refused(with(good, edits + 4, std::int32_t{4}), errc::out_of_range);
    expect_refused(with(good, edits + 4, std::int32_t{-1}), errc::out_of_range);
    expect_refused(with(good, edits + 8, std::int32_t{65}), errc::out_of_range);
    expect_refused(with(good, edits + 12, std::int32_t{1}), errc::malformed);
    expect_refused(with(good, edits + 16 + 4, std::int32_t{3}), errc::out_of_range);
    expect_refused(with(good, edits + 16 + 8, std::int32_t{-4}), errc::out_of_range);
    expect_refused(with(good, edits + 16 + 12, std::int32_t{-1}), errc::out_of_range);
    expect_refused(with(good, tokens, std::int32_t{-1}), errc::out_of_range);
    expect_refused(with(good, tokens + 4, std::int32_t{-1}), errc::out_of_range);
    expect_refused(with(good, tokens + 24 + 4, std::int32_t{64}), errc::out_of_range);
    expect_refused(with(good, tokens + 24 + 8, std::uint32_t{4}), errc::out_of_range);
    expect_refused(with(good, tokens + 12 + 4, std::int32_t{0}), errc::out_of_range);
    expect_refused(with(good, tokens + 8, std::uint32_t{1}), errc::out_of_range);
}

TEST(DataCodec, NumbersThatAreNoneAreRefusedOnBothSides) {
    const auto good = written(frame(), limits());
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        expect_refused(with(good, frame_header_bytes + 8 + 32 + 36 + 4 * 8, bad), errc::not_finite);
        auto own = frame();
        own.activations[4] = bad;
        bytes out;
        EXPECT_TRUE(encode(own, limits(), &out).error() == errc::not_finite);
    }
    auto by = limits();
    by.numbers = number_type::f16;
    for (const std::uint16_t bad : {0x7c00, 0xfc00, 0x7e01}) {
        expect_refused(with(written(frame(), by), frame_header_bytes + 8 + 32 + 36, bad), errc::not_finite, by);
    }
}

TEST(DataCodec, WhatF16CannotHoldNamesF32) {
    auto by = limits();
    by.numbers = number_type::f16;
    auto own = frame();
    own.activations[2] = -65'520.0F;
    bytes out;
    const auto refused = encode(own, by, &out);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::does_not_fit);
    EXPECT_NE(refused.error().message.find("f32"), std::string::npos);
    own.activations[2] = -65'519.0F;
    EXPECT_EQ(read(written(own, by), by)->activations[2], -65'504.0F);
}

TEST(DataCodec, AFrameIsBoundedBeforeMemoryIsTaken) {
    const auto good = written(frame(), limits());
    const auto size = read_frame_length(std::span(good).first<frame_length_bytes>(), limits());
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, good.size() - frame_length_bytes);
    const std::array<std::uint8_t, 4> huge{0xff, 0xff, 0xff, 0xff};
    EXPECT_TRUE(read_frame_length(huge, limits()).error() == errc::too_large);
    const std::array<std::uint8_t, 4> tiny{0, 0, 0, 39};
    EXPECT_TRUE(read_frame_length(tiny, limits()).error() == errc::malformed);
}

TEST(DataCodec, AnOutgoingStepThatWouldBeRefusedIsAnErrorHere) {
    bytes out;
    auto own = frame();
    own.activations.pop_back();
    EXPECT_TRUE(encode(own, limits(), &out).error() == errc::wrong_shape);
    own = frame();
    own.computed_us.pop_back();
    EXPECT_TRUE(encode(own, limits(), &out).error() == errc::wrong_shape);
    own = frame();
    own.step.tokens.resize(9);
    own.activations.resize(27);
    EXPECT_TRUE(encode(own, limits(), &out).error() == errc::too_large);
}

TEST(Half, EveryHalfSurvivesAndBothWaysAgree) {
    std::vector<std::uint8_t> all;
    for (std::uint32_t i = 0; i <= 0xffffU; ++i) {
        const auto half = static_cast<std::uint16_t>(i);
        all.push_back(static_cast<std::uint8_t>(half & 0xffU));
        all.push_back(static_cast<std::uint8_t>(half >> 8U));
    }
    std::vector<float> floats(1U << 16U);
    std::vector<float> plain(1U << 16U);
    from_half(all.data(), floats);
    portable_half_rows().from(all.data(), plain.data(), plain.size());
    std::vector<std::uint8_t> back(all.size());
    portable_half_rows().to(plain.data(), back.data(), plain.size());
    for (std::size_t i = 0; i < floats.size(); ++i) {
        const auto half = static_cast<std::uint16_t>(all[2 * i] | all[2 * i + 1] << 8U);
        const bool is_nan = (half & 0x7c00U) == 0x7c00U && (half & 0x03ffU) != 0;
        EXPECT_EQ(std::isnan(floats[i]), is_nan);
        EXPECT_EQ(std::isnan(plain[i]), is_nan);
        if (!is_nan) {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(floats[i]), std::bit_cast<std::uint32_t>(plain[i])) << i;
            ASSERT_EQ(back[2 * i] | back[2 * i + 1] << 8U, half) << i;
        }
    }
}

TEST(Half, BothWaysRoundTheSame) {
    std::vector<float> floats;
    for (std::uint32_t bits = 0; bits < 0x7f80'0000U; bits += 1'237U) {
        floats.push_back(std::bit_cast<float>(bits));
        floats.push_back(-floats.back());
    }
    for (const float edge :
         {65'504.0F, 65'519.99F, 65'520.0F, 0x1p-14F, 0x1p-24F, 0x1p-25F, 0x1.8p-25F, 1.00048828125F}) {
        floats.push_back(edge);
    }
    std::vector<std::uint8_t> fast(2 * floats.size());
    std::vector<std::uint8_t> plain(2 * floats.size());
    to_half(floats, fast.data());
    portable_half_rows().to(floats.data(), plain.data(), floats.size());
    EXPECT_EQ(fast, plain);
}

}  // namespace starling::pipeline

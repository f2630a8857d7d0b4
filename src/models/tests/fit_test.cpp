#include "models/fit.hpp"

#include "base/size_text.hpp"
#include "gguf/tests/gguf_builder.hpp"
#include "models/errc.hpp"
#include "models/rate_meter.hpp"
#include "models/sha256.hpp"
#include "models/sidecar.hpp"

#include <gtest/gtest.h>

namespace starling::models {
namespace {

TEST(models_fit, counts_weights_and_keys_and_values) {
    const std::string bytes = test::tiny_model();
    const auto header = gguf::parse_header(std::as_bytes(std::span(bytes)), bytes.size());
    ASSERT_TRUE(header);
    const auto got = estimate(*header, 100, 3);
    EXPECT_EQ(got.weights_bytes, header->tensor_bytes());
    // 2 layers, 2 key-value heads of 16, keys and values, 300 tokens, 2 bytes each
    EXPECT_EQ(got.kv_bytes, 2U * 2 * (16 + 16) * 300 * 2);
    EXPECT_GT(got.work_bytes, 0U);
    EXPECT_EQ(estimate(*header, 0, 0).context, 128) << "as trained";

    EXPECT_TRUE(check_fit(got, got.total_bytes(), "tiny"));
    const auto refused = check_fit(got, got.total_bytes() - 1, "tiny");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error() == errc::too_large);
    EXPECT_NE(refused.error().message.find(size_text(got.total_bytes())), std::string::npos) << refused.error().message;
}

TEST(models_sha256, known_digests) {
    EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256 hash;
    hash.update("a");
    hash.update("bc");
    EXPECT_EQ(hash.take_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(models_sidecar, comes_back_as_written) {
    const sidecar written{"hf://o/r/m.gguf", {42, "tag\"x", std::string(64, 'c')}, "other"};
    const auto read = parse_sidecar(to_json(written));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->source, written.source);
    EXPECT_EQ(read->published.size_bytes, 42U);
    EXPECT_EQ(read->published.etag, "tag\"x");
    EXPECT_EQ(read->published.sha256, written.published.sha256);
    EXPECT_EQ(read->storage_etag, "other");
    for (const char* bad :
         {"", "{", "[]", "{}", "{\"size_bytes\":\"x\"}", "{\"size_bytes\":-1}", "{\"size_bytes\":0}"}) {
        EXPECT_FALSE(parse_sidecar(bad)) << bad;
    }
}

TEST(models_rate, is_over_the_last_seconds) {
    rate_meter meter;
    rate_meter::time now{};
    EXPECT_EQ(meter.bytes_per_s(now), 0.0);
    for (int i = 0; i < 100; ++i) {
        now += std::chrono::milliseconds(100);
        meter.add(now, 50);
    }
    EXPECT_NEAR(meter.bytes_per_s(now), 500.0, 1.0);
    EXPECT_LT(meter.bytes_per_s(now + std::chrono::seconds(4)), 150.0);
    EXPECT_EQ(meter.bytes_per_s(now + std::chrono::seconds(10)), 0.0);
}

}  // namespace
}  // namespace starling::models

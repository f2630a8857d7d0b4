// Where a model goes, asked with the built-in model and memory that is made up.
#include "node/model_plan.hpp"
#include "node/plan_inputs.hpp"
#include "repository_paths.hpp"

#include "fetch/fetch.hpp"
#include "gguf/slice.hpp"
#include "plan/errc.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace starling::node {
namespace {

namespace fs = std::filesystem;

const fs::path starter = fs::path(STARLING_MODELS_DIR) / "starter.gguf";

class model_plan : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-plan-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
        settings_.data_dir = dir_;
        settings_.name = "desk";
        settings_.threads = 1;
        auto http = fetch::client::create();
        http_ = std::move(*http);
        models::store_options options;
        options.data_dir = dir_;
        auto store = models::model_store::create(std::move(options), *http_);
        store_ = std::move(*store);
    }
    void TearDown() override { fs::remove_all(dir_); }

    result<plan::placement> alone(const fs::path& file = starter) {
        return plan_alone(settings_, *store_, *models::parse_reference(file.string()));
    }

    fs::path dir_;
    settings::config settings_;
    std::unique_ptr<fetch::client> http_;
    std::unique_ptr<models::model_store> store_;
};

TEST_F(model_plan, goes_whole_on_this_machine_where_it_fits) {
    settings_.memory_bytes = 1'000'000'000;
    settings_.context = 512;
    settings_.slots = 2;
    const auto made = alone();
    ASSERT_TRUE(made.has_value()) << made.error().message;
    ASSERT_EQ(made->stages.size(), 1U);
    EXPECT_EQ(made->stages[0].name, "desk");
    EXPECT_EQ(made->stages[0].layers.first, 0);
    EXPECT_EQ(made->stages[0].layers.end, gguf::read_header(starter)->layers());
    EXPECT_EQ(made->slots, 2);
    EXPECT_GT(made->stages[0].memory.weight_bytes, fs::file_size(starter) / 2);
    EXPECT_GT(made->tokens_per_s, 0.0);
    EXPECT_TRUE(fs::is_empty(dir_ / "slices")) << "what it was measured with is gone";
}

TEST_F(model_plan, context_and_slots_count) {
    settings_.memory_bytes = 1'000'000'000;
    settings_.context = 256;
    settings_.slots = 1;
    const auto small = alone();
    settings_.slots = 4;
    const auto large = alone();
    ASSERT_TRUE(small && large);
    EXPECT_GT(large->stages[0].memory.kv_bytes, 3 * small->stages[0].memory.kv_bytes);
}

TEST_F(model_plan, is_refused_with_numbers_where_memory_is_too_little) {
    settings_.memory_bytes = 5'000'000;
    const auto made = alone();
    ASSERT_FALSE(made.has_value());
    EXPECT_TRUE(made.error() == plan::errc::too_large) << made.error().message;
    EXPECT_NE(made.error().message.find("desk 5.0 MB"), std::string::npos) << made.error().message;
    EXPECT_EQ(made.error().message.find("0 %"), std::string::npos) << made.error().message;
}

TEST_F(model_plan, one_machine_is_too_few_for_two_stages) {
    settings_.memory_bytes = 1'000'000'000;
    settings_.split = settings::split_mode::exactly;
    settings_.split_stages = 2;
    const auto made = alone();
    ASSERT_FALSE(made.has_value());
    EXPECT_TRUE(made.error() == plan::errc::too_few_machines) << made.error().message;
}

TEST_F(model_plan, a_part_of_a_model_is_told_as_one) {
    const auto header = gguf::read_header(starter);
    const auto slice = gguf::plan_slice(*header, {.first = 0, .end = 2}, std::string(64, 'c'));
    ASSERT_TRUE(slice.has_value());
    auto source = gguf::open_file(starter);
    ASSERT_TRUE(gguf::write_slice(*slice, **source, dir_ / "part.gguf").has_value());
    const auto made = alone(dir_ / "part.gguf");
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message.find("layers 0 to 1"), std::string::npos) << made.error().message;
}

TEST_F(model_plan, what_is_free_is_lent_but_for_a_reserve_unless_memory_says_how_much) {
    EXPECT_EQ(lendable_bytes(settings_, 10'000'000'000), 9'000'000'000);
    EXPECT_EQ(lendable_bytes(settings_, 1'000'000'000), 1'000'000'000 - (256ULL << 20));
    EXPECT_EQ(lendable_bytes(settings_, 1'000'000), 0U);
    settings_.memory_bytes = 2'000'000'000;
    EXPECT_EQ(lendable_bytes(settings_, 2'000'000'000), 2'000'000'000);
}

measured_shape uncuttable() {
    measured_shape out;
    out.shape.name = "round";
    out.shape.layers = {{.weight_bytes = 100}, {.weight_bytes = 100}};
    out.shape.embedding_length = 8;
    out.why_whole = "its layers share their memory";
    return out;
}

plan::machine machine_of(std::uint64_t bytes) {
    plan::machine out;
    out.name = "desk";
    out.free_bytes = bytes;
    return out;
}

TEST(place_model, what_cannot_be_cut_stays_whole_and_the_reason_is_told) {
    plan::wish wish;
    wish.margin_share = 0.0;
    wish.margin_bytes = 0;
    wish.split = plan::split_mode::exactly;
    wish.stages = 3;
    const plan::machine large = machine_of(1000);
    const auto made = place_model(uncuttable(), std::span(&large, 1), {}, wish);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->stages.size(), 1U);
    EXPECT_NE(made->reason.find("its layers share their memory."), std::string::npos) << made->reason;

    const plan::machine small = machine_of(150);
    const auto refused = place_model(uncuttable(), std::span(&small, 1), {}, wish);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("its layers share their memory."), std::string::npos);
    EXPECT_EQ(refused.error().message.find("allow it to be split"), std::string::npos) << refused.error().message;
}

TEST(left_out, names_who_has_no_file) {
    plan_inputs inputs;
    EXPECT_EQ(left_out_text(inputs), "");
    inputs.without_file = {"attic"};
    EXPECT_EQ(left_out_text(inputs), " attic takes no part: the model's file is not there.");
    inputs.without_file.assign(10, "attic");
    EXPECT_NE(left_out_text(inputs).find("and 2 more"), std::string::npos) << left_out_text(inputs);
}

}  // namespace
}  // namespace starling::node

#include "models/models.hpp"

#include "gguf/tests/gguf_builder.hpp"
#include "models/files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace starling::models {
namespace {

class store_test : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ =
            std::filesystem::path(::testing::TempDir()) / ("store_" + std::to_string(::getpid()) + "_" + info->name());
        std::filesystem::remove_all(folder_);
        options_.data_dir = folder_ / "data";
        client_ = fetch::client::create().value();
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<model_store> open() { return model_store::create(options_, *client_).value(); }

    std::filesystem::path folder_;
    store_options options_;
    std::unique_ptr<fetch::client> client_;
};

TEST_F(store_test, writes_the_starter_once_and_mends_it) {
    const std::string model = test::tiny_model();
    options_.starter = std::as_bytes(std::span(model));
    auto store = open();
    const auto found = store->find(reference{});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->id, "starter");
    EXPECT_EQ(found->path, options_.data_dir / "models" / ("starter-" + found->sha256->substr(0, 12) + ".gguf"));
    EXPECT_TRUE(has_content(found->path, options_.starter));
    const auto written = std::filesystem::last_write_time(found->path);
    ASSERT_TRUE(store->find(reference{}));
    EXPECT_EQ(std::filesystem::last_write_time(found->path), written);

    std::fstream(found->path, std::ios::in | std::ios::out | std::ios::binary).seekp(5000).put('!');
    EXPECT_FALSE(has_content(found->path, options_.starter));
    ASSERT_TRUE(store->find(reference{}));
    EXPECT_TRUE(has_content(found->path, options_.starter));

    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options_.data_dir / "models")) {
        (void)entry;
        ++files;
    }
    EXPECT_EQ(files, 1U) << "no temporary file is left";
    EXPECT_EQ(store->show(reference{})->architecture, "llama");
    EXPECT_EQ(store->list()->at(0).id, "starter");
    EXPECT_TRUE(store->remove(reference{}).error() == errc::bad_reference);
}

TEST_F(store_test, without_a_starter) {
    auto store = open();
    EXPECT_TRUE(store->find(reference{}).error() == errc::not_found);
    EXPECT_TRUE(store->list()->empty());
}

TEST_F(store_test, files_are_found_and_never_removed) {
    std::filesystem::create_directories(folder_);
    const auto path = folder_ / "mine.gguf";
    std::ofstream(path, std::ios::binary) << test::tiny_model();
    auto store = open();
    const auto which = *parse_reference(path.string());
    const auto found = store->find(which);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, "mine");
    EXPECT_EQ(found->path, path);
    EXPECT_EQ(store->show(which)->parameters, gguf::read_header(path)->parameters());
    EXPECT_TRUE(store->remove(which).error() == errc::bad_reference);
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_TRUE(store->find(*parse_reference((folder_ / "no.gguf").string())).error() == errc::not_found);
    EXPECT_TRUE(store->find(*parse_reference(folder_.string())).error() == errc::not_found);
    EXPECT_TRUE(store->find(*parse_reference("nobody")).error() == errc::not_found);
    EXPECT_TRUE(store->find(*parse_reference("hf://o/r/m.gguf")).error() == errc::not_here);
    std::ofstream(path, std::ios::binary) << "not a model";
    EXPECT_TRUE(store->show(which).error() == errc::bad_model);
}

TEST_F(store_test, a_data_directory_that_cannot_be_made) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "data") << "a file where the folder should be";
    const auto got = model_store::create(options_, *client_);
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::io_failed);
    EXPECT_NE(got.error().message.find("--data-dir"), std::string::npos);
}

TEST_F(store_test, what_does_not_belong_is_not_listed) {
    const auto repo = options_.data_dir / "models" / "hub" / "owner" / "repo";
    std::filesystem::create_directories(repo / "folder");
    for (const char* name : {"a.gguf", "b.gguf.part", "a.gguf.json", "c.txt", ".hidden.gguf", "folder/d.gguf"}) {
        std::ofstream(repo / name) << "x";
    }
    std::filesystem::create_directories(repo / "e.gguf");
    auto store = open();
    const auto got = store->list();
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->size(), 2U);
    EXPECT_EQ(got->at(0).source, "hf://owner/repo/a.gguf");
    EXPECT_EQ(got->at(1).source, "hf://owner/repo/folder/d.gguf");

    EXPECT_EQ(store->find(*parse_reference("d"))->source, got->at(1).source);
    std::filesystem::create_directories(repo.parent_path() / "other");
    std::ofstream(repo.parent_path() / "other" / "d.gguf") << "x";
    const auto two = store->find(*parse_reference("d"));
    ASSERT_FALSE(two);
    EXPECT_TRUE(two.error() == errc::bad_reference);
    EXPECT_NE(two.error().message.find("hf://owner/other/d.gguf"), std::string::npos) << two.error().message;
}

TEST(models_files, one_holder_at_a_time) {
    const auto path =
        std::filesystem::path(::testing::TempDir()) / ("models_files_" + std::to_string(::getpid()) + ".part");
    std::filesystem::remove(path);
    {
        auto first = part_file::lock(path);
        ASSERT_TRUE(first && *first);
        auto second = part_file::lock(path);
        ASSERT_TRUE(second);
        EXPECT_FALSE(*second);
        ASSERT_TRUE((*first)->append("abc"));
        EXPECT_EQ(*(*first)->read(1, 10), "bc");
    }
    {
        auto again = part_file::lock(path);
        ASSERT_TRUE(again && *again);
        EXPECT_EQ((*again)->size(), 3U) << "what has come is kept";
        ASSERT_TRUE((*again)->truncate(0));
    }
    EXPECT_FALSE(std::filesystem::exists(path)) << "an empty part is of no use";
}

TEST(models_files, a_folder_that_cannot_be_written) {
    const auto got = write_durably("/proc/models_test", "x");
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error() == errc::io_failed);
    EXPECT_NE(got.error().message.find("/proc/models_test"), std::string::npos);
}

}  // namespace
}  // namespace starling::models

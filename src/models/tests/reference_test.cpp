#include "models/reference.hpp"

#include "models/errc.hpp"
#include "models/hub.hpp"

#include <gtest/gtest.h>

namespace starling::models {
namespace {

TEST(models_reference, kinds) {
    EXPECT_EQ(parse_reference("starter")->kind, reference_kind::starter);
    EXPECT_EQ(parse_reference("starter")->id(), "starter");
    const auto file = parse_reference("/data/My Model.Q8_0.gguf");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->kind, reference_kind::file);
    EXPECT_EQ(file->id(), "My Model.Q8_0");
    EXPECT_EQ(parse_reference("./model")->kind, reference_kind::file);
    EXPECT_EQ(parse_reference("tiny")->kind, reference_kind::id);
    const auto hub = parse_reference("hf://Some-Owner/repo_1.5/folder/model-Q4_K_M.gguf");
    ASSERT_TRUE(hub);
    EXPECT_EQ(hub->kind, reference_kind::hub);
    EXPECT_EQ(hub->owner, "Some-Owner");
    EXPECT_EQ(hub->repository, "repo_1.5");
    EXPECT_EQ(hub->path, "folder/model-Q4_K_M.gguf");
    EXPECT_EQ(hub->id(), "model-Q4_K_M");
    EXPECT_EQ(hub->text(), "hf://Some-Owner/repo_1.5/folder/model-Q4_K_M.gguf");
}

TEST(models_reference, unsafe_names_are_refused) {
    for (const char* text : {"",
                             "hf://",
                             "hf://owner",
                             "hf://owner/repo",
                             "hf://owner/repo/",
                             "hf://owner/repo/.gguf",
                             "hf://owner/repo/model.bin",
                             "hf://../repo/model.gguf",
                             "hf://owner/../model.gguf",
                             "hf://owner/repo/../model.gguf",
                             "hf://owner/repo/a/../../model.gguf",
                             "hf://owner/repo//model.gguf",
                             "hf://owner/repo/./model.gguf",
                             "hf://owner/repo/.hidden.gguf",
                             "hf:///repo/model.gguf",
                             "hf://owner//model.gguf",
                             "hf://owner/repo/a\\b.gguf",
                             "hf://owner/repo/a\nb.gguf",
                             "hf://own er/repo/m.gguf",
                             "hf://owner/re?po/m.gguf",
                             "hf://owner/repo/m?x.gguf",
                             "https://host/model.gguf",
                             "file:///etc/passwd",
                             "a\1b.gguf"}) {
        const auto got = parse_reference(text);
        ASSERT_FALSE(got) << text;
        EXPECT_TRUE(got.error() == errc::bad_reference) << text;
    }
    EXPECT_FALSE(parse_reference("hf://owner/repo/" + std::string(200, 'x') + ".gguf"));
    EXPECT_FALSE(parse_reference(std::string(5000, 'x')));
}

TEST(models_hub, urls) {
    const auto which = *parse_reference("hf://o/r/a folder/m+1.gguf");
    EXPECT_EQ(file_url("https://hub.example/", which), "https://hub.example/o/r/resolve/main/a%20folder/m%2B1.gguf");
    EXPECT_TRUE(may_carry_token("https://hub.example/x"));
    EXPECT_TRUE(may_carry_token("http://127.0.0.1:8080"));
    EXPECT_TRUE(may_carry_token("http://localhost"));
    EXPECT_FALSE(may_carry_token("http://hub.example"));
    EXPECT_FALSE(may_carry_token("http://127.0.0.1.evil.example"));
    EXPECT_FALSE(may_carry_token("http://localhost.evil.example/"));
}

TEST(models_hub, what_was_published) {
    const auto which = *parse_reference("hf://o/r/m.gguf");
    fetch::response_head head;
    head.status = 302;
    const std::string digest(64, 'a');
    head.headers = {
        {"content-length", "30"}, {"x-linked-size", "123"}, {"x-linked-etag", "\"" + digest + "\""}, {"etag", "\"b\""}};
    const auto linked = read_published(head, which);
    ASSERT_TRUE(linked);
    EXPECT_EQ(linked->size_bytes, 123U);
    EXPECT_EQ(linked->sha256, digest);
    head.status = 200;
    head.headers = {{"content-length", "77"}, {"etag", "W/\"0123456789012345678901234567890123456789\""}};
    const auto small = read_published(head, which);
    ASSERT_TRUE(small);
    EXPECT_EQ(small->size_bytes, 77U);
    EXPECT_EQ(small->sha256, std::nullopt);
    EXPECT_EQ(small->etag, "0123456789012345678901234567890123456789");
    head.status = 302;
    EXPECT_FALSE(read_published(head, which)) << "the length of a redirect is not that of the file";
}

TEST(models_hub, redirects_that_stay) {
    fetch::response_head head;
    head.status = 307;
    head.headers = {{"location", "/new/name/resolve/main/m.gguf"}};
    EXPECT_EQ(redirect_within("https://hub.example", head), "https://hub.example/new/name/resolve/main/m.gguf");
    head.headers = {{"location", "https://hub.example/a"}};
    EXPECT_EQ(redirect_within("https://hub.example", head), "https://hub.example/a");
    for (const char* elsewhere :
         {"https://storage.example/a", "//storage.example/a", "https://hub.example.evil/a", "http://hub.example/a"}) {
        head.headers = {{"location", elsewhere}};
        EXPECT_EQ(redirect_within("https://hub.example", head), "") << elsewhere;
    }
}

TEST(models_hub, content_range) {
    EXPECT_EQ(parse_content_range("bytes 5-9/10")->first, 5U);
    EXPECT_EQ(parse_content_range("bytes 5-9/10")->total, 10U);
    EXPECT_EQ(parse_content_range("bytes 5-9/*")->total, std::nullopt);
    for (const char* bad : {"", "bytes", "bytes */10", "items 5-9/10", "bytes -9/10", "bytes 5/9-10"}) {
        EXPECT_FALSE(parse_content_range(bad)) << bad;
    }
}

}  // namespace
}  // namespace starling::models

// Keys, locks and other files of the data directory.
#include "node/key_file.hpp"
#include "node/node_key.hpp"
#include "node/private_file.hpp"
#include "node/running_node.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace starling::node {
namespace {

namespace fs = std::filesystem;

class files : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-node-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override {
        fs::permissions(dir_, fs::perms::owner_all);
        fs::remove_all(dir_);
    }
    static unsigned mode(const fs::path& path) {
        struct ::stat about{};
        return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 0777U : 0U;
    }
    void write(const std::string& name, const std::string& text) { std::ofstream(dir_ / name) << text; }

    fs::path dir_;
};

TEST_F(files, a_data_directory_is_made_for_its_owner_alone) {
    const fs::path deep = dir_ / "a" / "b";
    ASSERT_TRUE(prepare_data_dir(deep));
    EXPECT_EQ(mode(deep), 0700U);
    ASSERT_TRUE(prepare_data_dir(deep)) << "again";
    EXPECT_TRUE(fs::is_empty(deep)) << "the probe is removed";
}

TEST_F(files, a_data_directory_that_is_no_directory_is_refused) {
    write("file", "x");
    for (const fs::path& path : {dir_ / "file", dir_ / "file" / "below", fs::path("/proc/starling"), fs::path{}}) {
        const auto prepared = prepare_data_dir(path);
        ASSERT_FALSE(prepared) << path;
        EXPECT_TRUE(prepared.error() == errc::data_dir);
        EXPECT_NE(prepared.error().message.find("--data-dir"), std::string::npos) << prepared.error().message;
    }
}

TEST_F(files, the_key_is_kept) {
    const auto first = load_or_create_key(dir_ / "node.key");
    ASSERT_TRUE(first);
    EXPECT_EQ(to_string(first->id()).size(), 64U);
    EXPECT_EQ(to_string(first->id()).find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(mode(dir_ / "node.key"), 0600U);
    EXPECT_EQ(load_or_create_key(dir_ / "node.key")->id(), first->id());
    EXPECT_NE(load_or_create_key(dir_ / "other.key")->id(), first->id());
}

TEST_F(files, the_node_id_is_the_ed25519_public_key) {
    // RFC 8032, section 7.1, test 1.
    write("node.key", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n");
    fs::permissions(dir_ / "node.key", fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(to_string(load_or_create_key(dir_ / "node.key")->id()),
              "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST_F(files, a_key_that_others_can_read_or_that_is_none_is_refused) {
    write("open.key", std::string(64, 'a') + "\n");
    fs::permissions(dir_ / "open.key", fs::perms::owner_read | fs::perms::others_read);
    const auto open = load_or_create_key(dir_ / "open.key");
    ASSERT_FALSE(open);
    EXPECT_NE(open.error().message.find("chmod 600"), std::string::npos);
    for (const std::string& text :
         {std::string("short"), std::string(64, 'g'), std::string(5000, 'a'), std::string()}) {
        write("bad.key", text);
        fs::permissions(dir_ / "bad.key", fs::perms::owner_read | fs::perms::owner_write);
        EXPECT_FALSE(load_or_create_key(dir_ / "bad.key")) << text.size();
    }
}

TEST_F(files, one_node_for_one_directory) {
    auto first = data_dir_lock::take(dir_);
    ASSERT_TRUE(first);
    EXPECT_FALSE(find_running(dir_)) << "nothing is published yet";
    running_node about;
    about.api_url = "http://127.0.0.1:1";
    about.node_id = "id";
    about.pid = 42;
    ASSERT_TRUE(first->publish(about));
    EXPECT_EQ(mode(dir_ / "node.json"), 0600U);
    const auto found = find_running(dir_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->api_url, about.api_url);
    EXPECT_EQ(found->pid, 42);

    const auto second = data_dir_lock::take(dir_);
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error() == errc::already_running);
    EXPECT_NE(second.error().message.find("process 42, http://127.0.0.1:1"), std::string::npos)
        << second.error().message;
    {
        const data_dir_lock ended = std::move(*first);
    }
    EXPECT_FALSE(find_running(dir_));
    EXPECT_FALSE(fs::exists(dir_ / "node.json"));
    EXPECT_TRUE(data_dir_lock::take(dir_));
}

TEST_F(files, what_a_killed_node_left_behind_is_not_believed) {
    write("node.json", R"({"api_url":"http://127.0.0.1:1","pid":1})");
    EXPECT_FALSE(find_running(dir_));
    write("node.lock", "");
    EXPECT_FALSE(find_running(dir_));
}

TEST_F(files, a_published_file_that_is_broken_does_no_harm) {
    const auto lock = data_dir_lock::take(dir_);
    for (const char* text : {"", "{", "[]", "{\"api_url\":7}", "{\"api_url\":\"\"}"}) {
        write("node.json", text);
        EXPECT_FALSE(find_running(dir_)) << text;
    }
}

TEST_F(files, private_files_are_replaced_whole) {
    ASSERT_TRUE(write_private_file(dir_ / "f", "one"));
    ASSERT_TRUE(write_private_file(dir_ / "f", "two"));
    EXPECT_EQ(*read_small_file(dir_ / "f", 10), "two");
    EXPECT_FALSE(read_small_file(dir_ / "f", 2));
    EXPECT_FALSE(write_private_file(dir_ / "missing" / "f", "x"));
    EXPECT_FALSE(write_private_file("/dev/full/f", "x"));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator{}), 1) << "no temporary file is left";
}

TEST_F(files, keys_are_read_line_by_line) {
    write("keys", "# clients\nsk-one\r\n\n  sk-two  \n");
    EXPECT_EQ(*read_keys(dir_ / "keys"), (std::vector<std::string>{"sk-one", "sk-two"}));
    write("none", "# nothing\n");
    EXPECT_FALSE(read_keys(dir_ / "none"));
    const auto spaced = parse_keys("ok\nsecret with spaces\n", "keys");
    ASSERT_FALSE(spaced);
    EXPECT_NE(spaced.error().message.find("line 2"), std::string::npos);
    EXPECT_EQ(spaced.error().message.find("secret"), std::string::npos);
    EXPECT_FALSE(read_keys(dir_ / "missing"));
}

}  // namespace
}  // namespace starling::node

// What a node remembers of its mesh, and where it says that it can be found.
#include "node/mesh_file.hpp"

#include "node/own_addresses.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace starling::node {
namespace {

namespace fs = std::filesystem;
namespace asio = boost::asio;

class mesh_file : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "starling-mesh-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
    }
    void TearDown() override { fs::remove_all(dir_); }

    admission::certificate certificate_for(const node_id& subject) const {
        admission::certificate what;
        what.subject = subject;
        what.role = admission::role::worker;
        what.issued_s = 1'800'000'000;
        what.expires_s = 1'800'001'000;
        return admission::issue(root_, what);
    }

    mesh_memory memory() const {
        mesh_memory out;
        out.certificate = certificate_for(self_.id());
        out.contacts = {{.id = root_.id(), .addresses = {"192.0.2.7:9338", "[2001:db8::1]:9338"}},
                        {.id = self_.id(), .addresses = {}}};
        out.revoked = {admission::revoke(root_, keys::key_pair::generate().id(), 1'800'000'001)};
        admission::invite written;
        written.secret.fill(3);
        written.expires_s = 1'800'000'500;
        EXPECT_TRUE(out.invites.add(written, 1'800'000'000));
        return out;
    }

    fs::path file() const { return dir_ / "mesh.json"; }
    std::string content() const {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    void write(const std::string& text) const { std::ofstream(file(), std::ios::binary) << text; }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir_), fs::directory_iterator{}));
    }

    keys::key_pair root_ = keys::key_pair::generate();
    keys::key_pair self_ = keys::key_pair::generate();
    fs::path dir_;
};

TEST_F(mesh_file, WhatIsRememberedComesBack) {
    const auto none = load_mesh(file());
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    const mesh_memory saved = memory();
    ASSERT_TRUE(save_mesh(file(), saved));
    const auto loaded = load_mesh(file());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_TRUE(*loaded);
    const mesh_memory& got = **loaded;
    EXPECT_EQ(admission::encode(got.certificate), admission::encode(saved.certificate));
    ASSERT_EQ(got.contacts.size(), 2U);
    EXPECT_EQ(got.contacts[0].id, saved.contacts[0].id);
    EXPECT_EQ(got.contacts[0].addresses, saved.contacts[0].addresses);
    ASSERT_EQ(got.revoked.size(), 1U);
    EXPECT_EQ(admission::encode(got.revoked[0]), admission::encode(saved.revoked[0]));
    EXPECT_EQ(admission::encode(got.invites), admission::encode(saved.invites));
    EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(mesh_file, NoSecretOfAnInviteIsInIt) {
    mesh_memory saved = memory();
    ASSERT_TRUE(save_mesh(file(), saved));
    EXPECT_EQ(content().find("AwMDAwMDAwMDAwMDAwMDAw"), std::string::npos) << "sixteen threes, as the invite has them";
}

TEST_F(mesh_file, ADamagedOneIsNamedInOneSentenceAndLeftAsItIs) {
    ASSERT_TRUE(save_mesh(file(), memory()));
    const std::string whole = content();
    std::string one_bit = whole;
    one_bit[whole.find("\"certificate\":\"") + 40] ^= 1;
    std::string without_invites = whole;
    without_invites.replace(without_invites.find("invites"), 7, "invitee");
    const std::vector<std::string> damaged{"",
                                           "{",
                                           "[]",
                                           "null",
                                           "{}",
                                           whole.substr(0, whole.size() / 2),
                                           one_bit + "x",
                                           without_invites,
                                           std::string(100, '\0'),
                                           R"({"certificate":7,"invites":[]})"};
    for (const std::string& text : damaged) {
        write(text);
        const auto loaded = load_mesh(file());
        ASSERT_FALSE(loaded) << text;
        EXPECT_TRUE(loaded.error() == errc::data_dir);
        EXPECT_NE(loaded.error().message.find("mesh.json is damaged"), std::string::npos) << loaded.error().message;
        EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
        EXPECT_EQ(content(), text);
    }
    EXPECT_EQ(files(), 1U);
}

TEST_F(mesh_file, ARevocationThatIsDamagedIsNotForgottenSilently) {
    ASSERT_TRUE(save_mesh(file(), memory()));
    std::string text = content();
    const auto at = text.find("\"revoked\":[\"") + 12;
    text.erase(at, 4);
    write(text);
    EXPECT_FALSE(load_mesh(file()));
}

/// No file of this process becomes larger, as on a full disk.
class full_disk {
  public:
    explicit full_disk(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit now = before_;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
        signal_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    full_disk(const full_disk&) = delete;
    full_disk& operator=(const full_disk&) = delete;
    ~full_disk() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_);
    }

  private:
    rlimit before_{};
    void (*signal_)(int) = nullptr;
};

TEST_F(mesh_file, AFullDiskLeavesTheOldOneAsItWas) {
    ASSERT_TRUE(save_mesh(file(), memory()));
    const std::string before = content();
    mesh_memory larger = memory();
    for (int i = 0; i < 100; ++i) {
        larger.contacts.push_back({.id = root_.id(), .addresses = {"192.0.2.7:9338"}});
    }
    {
        const full_disk now(before.size() + 100);
        const auto saved = save_mesh(file(), larger);
        ASSERT_FALSE(saved);
        EXPECT_TRUE(saved.error() == errc::data_dir);
        EXPECT_NE(saved.error().message.find("mesh.json"), std::string::npos) << saved.error().message;
        EXPECT_EQ(content(), before);
        EXPECT_EQ(files(), 1U) << "no half-written file is left";
    }
    ASSERT_TRUE(save_mesh(file(), larger));
    EXPECT_NE(content(), before);
}

TEST(own_addresses, OfASocketOnOneAddressIsThatOne) {
    EXPECT_EQ(own_addresses({asio::ip::make_address("127.0.0.1"), 9338}), std::vector<std::string>{"127.0.0.1:9338"});
    EXPECT_EQ(own_addresses({asio::ip::make_address("2001:db8::7"), 1}), std::vector<std::string>{"[2001:db8::7]:1"});
}

TEST(own_addresses, OfASocketOnAllAreThoseThatOthersCanReach) {
    for (const char* any : {"0.0.0.0", "::"}) {
        for (const std::string& one : own_addresses({asio::ip::make_address(any), 9338})) {
            EXPECT_TRUE(one.ends_with(":9338")) << one;
            EXPECT_FALSE(one.starts_with("127.")) << one;
            EXPECT_FALSE(one.starts_with("[fe80")) << one;
            EXPECT_NE(one, "[::1]:9338");
            EXPECT_TRUE(std::string(any) == "::" || one.front() != '[') << "a socket of IPv4 is not found by IPv6";
            EXPECT_TRUE(peers::parse_address(one)) << "what is told can be read: " << one;
        }
    }
}

}  // namespace
}  // namespace starling::node

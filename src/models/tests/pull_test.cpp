#include "models/models.hpp"

#include "gguf/tests/gguf_builder.hpp"
#include "models/tests/fake_hub.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <fstream>
#include <limits>
#include <sstream>

namespace starling::models {
namespace {

using namespace std::chrono_literals;
using test::fake_hub;
using test::hub_behaviour;
namespace asio = boost::asio;

// A model whose file is about 3 MB: a large tensor after the small ones.
std::string large_model() {
    test::gguf_builder out = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(out);
    test::add_tiny_tensors(out);
    out.add_tensor("extra.weight", 0, {1024, 768});
    std::string bytes = out.build();
    for (std::size_t i = bytes.size() / 2; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    }
    return bytes;
}

std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

awaitable<void> pull_into(model_store* store, reference which, on_pull_progress progress,
                          std::optional<result<local_model>>* out) {
    *out = co_await store->pull(std::move(which), std::move(progress));
}

class pull_test : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        options_.data_dir =
            std::filesystem::path(::testing::TempDir()) / ("pull_" + std::to_string(::getpid()) + "_" + info->name());
        std::filesystem::remove_all(options_.data_dir);
        options_.first_retry_delay = 5ms;
        options_.idle_timeout = 20s;
        client_ = fetch::client::create().value();
    }
    void TearDown() override { std::filesystem::remove_all(options_.data_dir); }

    std::unique_ptr<model_store> open_store(const fake_hub& hub) {
        options_.hub_url = hub.url();
        return model_store::create(options_, *client_).value();
    }

    result<local_model> pull(model_store& store, on_pull_progress progress = {}) {
        std::optional<result<local_model>> out;
        asio::co_spawn(io_, pull_into(&store, which_, std::move(progress), &out), asio::detached);
        io_.restart();
        io_.run();
        return *out;
    }

    result<local_model> pull(const fake_hub& hub) {
        auto store = open_store(hub);
        return pull(*store);
    }

    std::filesystem::path file(const char* suffix = "") const {
        return options_.data_dir / "models" / "hub" / "owner" / "repo" / (std::string("model.gguf") + suffix);
    }
    bool exists(const char* suffix = "") const { return std::filesystem::exists(file(suffix)); }
    void expect_nothing_left() const {
        for (const char* suffix : {"", ".json", ".part", ".part.json"}) {
            EXPECT_FALSE(exists(suffix)) << suffix;
        }
    }
    static void expect_failure(const result<local_model>& got, errc code, std::string_view words) {
        ASSERT_FALSE(got);
        EXPECT_TRUE(got.error() == code) << got.error().code << ": " << got.error().message;
        EXPECT_NE(got.error().message.find(words), std::string::npos) << got.error().message;
        EXPECT_EQ(got.error().message.find("signature=secret"), std::string::npos) << got.error().message;
    }

    store_options options_;
    std::unique_ptr<fetch::client> client_;
    asio::io_context io_;
    reference which_ = *parse_reference("hf://owner/repo/model.gguf");
};

TEST_F(pull_test, fetches_checks_and_names_the_file) {
    const std::string content = large_model();
    fake_hub hub({content});
    auto store = open_store(hub);
    std::vector<pull_progress> seen;
    const auto got = pull(*store, [&](const pull_progress& p) { seen.push_back(p); });
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->id, "model");
    EXPECT_EQ(got->path, file());
    EXPECT_EQ(got->size_bytes, content.size());
    EXPECT_EQ(got->sha256, sha256_hex(std::as_bytes(std::span(content))));
    EXPECT_EQ(got->source, "hf://owner/repo/model.gguf");
    EXPECT_TRUE(contents(file()) == content);
    EXPECT_FALSE(exists(".part"));
    EXPECT_FALSE(exists(".part.json"));
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen.back().bytes, content.size());
    EXPECT_EQ(seen.back().total_bytes, content.size());

    const auto requests = hub.hub_requests().size();
    const auto again = pull(*store);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->sha256, got->sha256);
    EXPECT_EQ(hub.hub_requests().size(), requests) << "what is here is not asked for again";

    const auto listed = store->list();
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->at(0).source, got->source);
    EXPECT_EQ(store->find(which_)->path, got->path);
    EXPECT_EQ(store->find(*parse_reference("model"))->path, got->path);
    const auto details = store->show(which_);
    ASSERT_TRUE(details) << details.error().message;
    EXPECT_EQ(details->architecture, "llama");
    EXPECT_EQ(details->layers, 2);
    EXPECT_TRUE(details->has_chat_template);
    EXPECT_GT(details->memory.weights_bytes, 3'000'000U);

    ASSERT_TRUE(store->remove(which_));
    expect_nothing_left();
    EXPECT_TRUE(store->find(which_).error() == errc::not_here);
    EXPECT_TRUE(store->remove(which_).error() == errc::not_here);
}

TEST_F(pull_test, goes_on_after_cuts) {
    const std::string content = large_model();
    hub_behaviour how{content};
    how.cut_after = 700'000;
    how.cuts = 3;
    fake_hub hub(how);
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(contents(file()) == content);
    const auto requests = hub.storage_requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[0].header("range"), "");
    EXPECT_EQ(requests[1].header("range"), "bytes=700000-");
    EXPECT_EQ(requests[3].header("range"), "bytes=2100000-");
}

TEST_F(pull_test, goes_on_after_a_stall) {
    hub_behaviour how{large_model()};
    how.cut_after = 700'000;
    how.cuts = 1;
    how.stall = true;
    fake_hub hub(how);
    options_.idle_timeout = 500ms;
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(contents(file()) == how.content);
}

TEST_F(pull_test, a_later_attempt_goes_on_where_the_first_gave_up) {
    hub_behaviour how{large_model()};
    how.cut_after = 1'000'000;
    how.cuts = 1;
    how.storage_status = 503;
    fake_hub hub(how);
    options_.max_attempts = 2;
    auto store = open_store(hub);
    hub.change([](hub_behaviour& h) { h.storage_failures = 0; });
    std::atomic<bool> broken{false};
    const auto first = pull(*store, [&](const pull_progress& p) {
        if (p.phase == pull_phase::retrying && !broken.exchange(true)) {
            hub.change([](hub_behaviour& h) { h.storage_failures = 100; });
        }
    });
    expect_failure(first, errc::hub_failed, "503");
    EXPECT_NE(first.error().message.find("what has come is kept"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(file(".part")), 1'000'000U);

    hub.change([](hub_behaviour& h) { h.storage_failures = 0; });
    const auto before = hub.storage_requests().size();
    const auto second = pull(*store);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_TRUE(contents(file()) == how.content);
    EXPECT_EQ(hub.storage_requests().at(before).header("range"), "bytes=1000000-");
    EXPECT_EQ(hub.storage_requests().size(), before + 1);
}

TEST_F(pull_test, what_was_left_of_another_version_is_not_used) {
    hub_behaviour how{large_model()};
    fake_hub hub(how);
    auto store = open_store(hub);
    std::filesystem::create_directories(file().parent_path());
    std::ofstream(file(".part"), std::ios::binary) << std::string(1000, 'x');
    const auto unknown = pull(*store);
    ASSERT_TRUE(unknown) << unknown.error().message;
    ASSERT_TRUE(store->remove(which_));

    std::filesystem::create_directories(file().parent_path());
    std::ofstream(file(".part"), std::ios::binary) << std::string(1000, 'x');
    std::ofstream(file(".part.json")) << R"({"source":"s","size_bytes":)" << how.content.size() << R"(,"etag":"old"})";
    const auto other = pull(*store);
    ASSERT_TRUE(other) << other.error().message;
    EXPECT_TRUE(contents(file()) == how.content);
}

TEST_F(pull_test, a_damaged_part_is_found_and_removed) {
    hub_behaviour how{large_model()};
    fake_hub hub(how);
    auto store = open_store(hub);
    std::filesystem::create_directories(file().parent_path());
    std::string part = how.content.substr(0, 2'000'000);
    part[1'900'000] = static_cast<char>(part[1'900'000] ^ 1);
    std::ofstream(file(".part"), std::ios::binary) << part;
    std::ofstream(file(".part.json")) << R"({"source":"s","size_bytes":)" << how.content.size() << R"(,"etag":")"
                                      << sha256_hex(std::as_bytes(std::span(how.content))) << "\"}";
    expect_failure(pull(*store), errc::wrong_hash, "it was removed, fetch it again");
    expect_nothing_left();
    EXPECT_TRUE(pull(*store));
}

TEST_F(pull_test, a_wrong_hash_removes_the_file) {
    hub_behaviour how{large_model()};
    how.published_sha256 = std::string(64, 'e');
    fake_hub hub(how);
    expect_failure(pull(hub), errc::wrong_hash, std::string(64, 'e'));
    expect_nothing_left();
}

TEST_F(pull_test, without_a_published_hash_the_size_and_header_are_checked) {
    hub_behaviour how{large_model()};
    how.publish_sha256 = false;
    how.cut_after = 700'000;
    how.cuts = 1;
    fake_hub hub(how);
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->sha256, std::nullopt);
    EXPECT_TRUE(contents(file()) == how.content);
}

TEST_F(pull_test, the_token_goes_to_the_hub_alone) {
    hub_behaviour how{large_model()};
    how.wanted_token = "hf_secret";
    fake_hub hub(how);
    expect_failure(pull(hub), errc::needs_token, "wants a Hugging Face token");
    expect_nothing_left();
    options_.hub_token = "hf_wrong";
    const auto refused = pull(hub);
    expect_failure(refused, errc::needs_token, "refused the Hugging Face token");
    EXPECT_EQ(refused.error().message.find("hf_wrong"), std::string::npos);
    options_.hub_token = "hf_secret";
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
    for (const auto& request : hub.storage_requests()) {
        EXPECT_EQ(request.headers.count("authorization"), 0U);
    }
    EXPECT_EQ(contents(file(".json")).find("hf_secret"), std::string::npos);
}

TEST_F(pull_test, missing_files_and_renamed_repositories) {
    hub_behaviour how{large_model()};
    how.hub_status = 404;
    fake_hub hub(how);
    expect_failure(pull(hub), errc::not_found, "hf://owner/repo/model.gguf");
    expect_nothing_left();
    hub.change([](hub_behaviour& h) { h.hub_status = 500; });
    options_.max_attempts = 3;
    const auto before = hub.hub_requests().size();
    expect_failure(pull(hub), errc::hub_failed, "500");
    EXPECT_EQ(hub.hub_requests().size() - before, 3U);
    hub.change([](hub_behaviour& h) {
        h.hub_status = 0;
        h.renamed = true;
    });
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
}

TEST_F(pull_test, a_server_without_ranges) {
    hub_behaviour how{large_model()};
    how.ranges = false;
    how.cut_after = 700'000;
    how.cuts = 2;
    fake_hub hub(how);
    const auto got = pull(hub);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(contents(file()) == how.content);
    auto store = open_store(hub);
    ASSERT_TRUE(store->remove(which_));
    hub.change([](hub_behaviour& h) { h.cuts = 1000; });
    expect_failure(pull(*store), errc::unreachable, "cannot resume");
}

TEST_F(pull_test, sizes_that_do_not_agree) {
    hub_behaviour how{large_model()};
    how.published_size = how.content.size() + 1;
    fake_hub hub(how);
    expect_failure(pull(hub), errc::wrong_size, std::to_string(how.published_size));
    expect_nothing_left();
    hub.change([](hub_behaviour& h) {
        h.published_size = 0;
        h.extra_bytes = true;
    });
    expect_failure(pull(hub), errc::wrong_size, "more came");
    expect_nothing_left();
}

TEST_F(pull_test, a_disk_too_small_is_said_before_loading) {
    hub_behaviour how{large_model()};
    fake_hub hub(how);
    options_.free_disk_bytes = [](const std::filesystem::path&) { return std::uint64_t{2'000'000}; };
    expect_failure(pull(hub), errc::no_space, "2.0 MB");
    EXPECT_TRUE(hub.storage_requests().empty());
    expect_nothing_left();
}

TEST_F(pull_test, a_model_too_large_for_memory_is_refused_after_its_header) {
    test::gguf_builder out = test::tiny_hyperparameters();
    test::add_tiny_tokenizer(out);
    test::add_tiny_tensors(out);
    out.add_tensor("extra.weight", 0, {1024, 10240});  // 40 MB
    hub_behaviour how{out.build()};
    how.delay_ms = 5;
    fake_hub hub(how);
    options_.memory_bytes = 20'000'000;
    auto store = open_store(hub);
    std::uint64_t most = 0;
    const auto got = pull(*store, [&](const pull_progress& p) { most = std::max(most, p.bytes); });
    expect_failure(got, errc::too_large, "20.0 MB are free");
    EXPECT_LT(most, 5'000'000U) << "the rest is not fetched";
    expect_nothing_left();
}

TEST_F(pull_test, what_is_no_model_is_refused) {
    fake_hub text({std::string(1'000'000, 'x')});
    expect_failure(pull(text), errc::bad_model, "not a GGUF");
    expect_nothing_left();
    fake_hub cut({large_model().substr(0, 1'000'000)});
    expect_failure(pull(cut), errc::bad_model, "the file ends at byte 1000000");
    expect_nothing_left();
}

TEST_F(pull_test, two_at_once_fetch_one_file) {
    hub_behaviour how{large_model()};
    how.delay_ms = 3;
    fake_hub hub(how);
    auto first = open_store(hub);
    auto second = open_store(hub);
    std::optional<result<local_model>> a;
    std::optional<result<local_model>> b;
    asio::co_spawn(io_, pull_into(first.get(), which_, {}, &a), asio::detached);
    asio::co_spawn(io_, pull_into(second.get(), which_, {}, &b), asio::detached);
    io_.run();
    ASSERT_TRUE(a && *a) << (*a).error().message;
    ASSERT_TRUE(b && *b) << (*b).error().message;
    EXPECT_EQ(hub.storage_requests().size(), 1U);
    EXPECT_TRUE(contents(file()) == how.content);
    EXPECT_FALSE(exists(".part"));
}

TEST_F(pull_test, cancelling_keeps_what_has_come) {
    hub_behaviour how{large_model()};
    how.cut_after = 1'000'000;
    how.cuts = 1;
    how.stall = true;
    fake_hub hub(how);
    auto store = open_store(hub);
    std::optional<result<local_model>> out;
    asio::cancellation_signal stop;
    std::exception_ptr thrown;
    asio::co_spawn(io_, pull_into(store.get(), which_, {}, &out),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { thrown = std::move(e); }));
    // Not before the stall, so that it is the waiting that is cancelled.
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    std::error_code missing;
    while (std::filesystem::file_size(file(".part"), missing) != 1'000'000 &&
           std::chrono::steady_clock::now() < deadline) {
        io_.run_for(20ms);
    }
    stop.emit(asio::cancellation_type::terminal);
    io_.run();
    EXPECT_TRUE(thrown != nullptr || (out && !*out));
    EXPECT_TRUE(store->remove(*parse_reference("hf://owner/repo/other.gguf")).error() == errc::not_here);
    EXPECT_EQ(std::filesystem::file_size(file(".part")), 1'000'000U);
    const auto got = pull(*store);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(contents(file()) == how.content);
}

TEST_F(pull_test, nobody_at_the_hub) {
    options_.max_attempts = 2;
    std::string url;
    {
        fake_hub hub({large_model()});
        url = hub.url();
    }
    options_.hub_url = url;
    auto store = model_store::create(options_, *client_).value();
    expect_failure(pull(*store), errc::unreachable, "cannot fetch hf://owner/repo/model.gguf");
    expect_nothing_left();
}

}  // namespace
}  // namespace starling::models

// GET and POST /api/models, with a mesh and a shelf that are played here.
#include "api/api.hpp"
#include "api/mesh_view.hpp"
#include "api/model_shelf.hpp"
#include "api/tests/scripted_generator.hpp"

#include "engine/errc.hpp"
#include "http/tests/network_thread.hpp"
#include "http/tests/raw_client.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <memory>

namespace starling::api {
namespace {

namespace json = boost::json;
using http::testing::raw_client;

const std::string token = "only-who-reads-the-data-directory";

class played_shelf final : public model_shelf {
  public:
    const std::vector<shelf_file>& files() override { return on_disk; }
    boost::asio::awaitable<void> look() override {
        ++looks;
        co_return;
    }
    bool may_load(std::string_view id) const override { return id != "strange"; }
    bool may_unload(std::string_view id) const override { return id != "split"; }
    boost::asio::awaitable<result<shelf_answer>> load(std::string reference) override {
        asked.push_back("load " + reference);
        co_return answer;
    }
    result<shelf_answer> unload(const std::string& id) override {
        asked.push_back("unload " + id);
        return answer;
    }

    std::vector<shelf_file> on_disk;
    int looks = 0;
    std::vector<std::string> asked;
    result<shelf_answer> answer = shelf_answer{.id = "big", .state = "loading"};
};

class played_mesh final : public mesh_view {
  public:
    std::string id() const override { return std::string(64, 'c'); }
    std::string removed() const override { return {}; }
    result<route::choice> choose(std::string_view, route::steady_time) override {
        return fail(engine::errc::unknown_model, "none");
    }
    std::vector<mesh_model> models() const override { return elsewhere; }
    std::vector<peer_facts> peers() const override { return members; }
    std::vector<route::model_demand> demand() const override { return wanted; }
    routing_facts routing() const override { return {}; }
    std::vector<deployment_facts> deployments() const override { return {}; }
    stage_traffic traffic() const override { return {}; }
    boost::asio::awaitable<result<model_plan>> plan(plan_question) override { co_return model_plan{}; }
    result<written_invite> invite(std::string_view, std::int64_t, bool) override {
        return fail(engine::errc::unavailable, "none");
    }
    result<void> revoke(std::string_view) override { return {}; }

    std::vector<mesh_model> elsewhere;
    std::vector<peer_facts> members;
    std::vector<route::model_demand> wanted;
};

class api_models : public ::testing::Test {
  protected:
    void begin(mesh_view* mesh, model_shelf* shelf) {
        options options;
        options.port = 0;
        node_facts facts;
        facts.node_id = std::string(64, 'a');
        facts.mesh = mesh;
        facts.shelf = shelf;
        facts.control_token = token;
        server_ = std::make_unique<server>(network_.io.get_executor(), options, table_, facts);
        const auto port = network_.call([this] { return server_->start(); });
        ASSERT_TRUE(port.has_value()) << port.error().message;
        port_ = *port;
    }
    void TearDown() override {
        if (server_) {
            network_.await(server_->stop());
            network_.call([this] { server_.reset(); });
        }
    }

    static std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
    static std::string status_of(const std::string& response) { return response.substr(9, 3); }
    std::string ask(std::string_view method, const std::string& body, const std::string& key) {
        raw_client client(port_);
        client.send(std::string(method) + " /api/models HTTP/1.1\r\nhost: localhost\r\n" +
                    "content-type: application/json\r\nauthorization: Bearer " + key +
                    "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read_response();
    }
    std::string post(const std::string& body) { return ask("POST", body, token); }
    json::array rows() { return json::parse(body_of(ask("GET", "", ""))).as_array(); }

    route::model_table table_;
    testing::script script_;
    played_mesh mesh_;
    played_shelf shelf_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    http::testing::network_thread network_;
};

TEST_F(api_models, one_row_for_each_id) {
    table_.announce("ready", "ready.gguf");
    table_.set_ready("ready", std::make_shared<testing::scripted_generator>(script_));
    table_.announce("coming", "hf://a/b/coming.gguf");
    table_.set_progress("coming", 0.5F);
    table_.announce("broken", "broken.gguf");
    table_.set_failed("broken", fail(engine::errc::unavailable, "It is broken."));
    table_.announce("resting", "resting.gguf", route::model_state::standby);
    shelf_.on_disk = {{.id = "resting", .source = "resting.gguf", .size_bytes = 10, .context_length = 20},
                      {.id = "file", .source = "hf://a/b/file.gguf", .size_bytes = 30, .context_length = 0},
                      {.id = "strange", .source = "s", .size_bytes = 1, .context_length = 1}};
    mesh_model there;
    there.info.id = "there";
    there.info.size_bytes = 7;
    mesh_.elsewhere = {there};
    peer_facts one;
    one.rtt_ms = 1.0;
    one.models = {"there", "ready"};
    peer_facts gone;
    gone.models = {"there"};
    mesh_.members = {one, one, gone};
    mesh_.wanted = {{.model = "ready", .requests = 9, .rate_per_min = 1.239, .last_active_s = 4.2}};
    begin(&mesh_, &shelf_);

    const json::array all = rows();
    EXPECT_EQ(shelf_.looks, 1);
    ASSERT_EQ(all.size(), 7U) << json::serialize(all);
    const auto text = [&](std::size_t i, const char* name) { return std::string(all[i].at(name).as_string()); };
    const std::vector<std::string> here{"ready", "loading", "failed", "standby", "on_disk", "on_disk", "none"};
    const std::vector<std::string> ids{"ready", "coming", "broken", "resting", "file", "strange", "there"};
    const std::vector<bool> can_load{false, false, true, true, true, false, false};
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(text(i, "id"), ids[i]);
        EXPECT_EQ(text(i, "here"), here[i]) << ids[i];
        EXPECT_EQ(all[i].at("can_load").as_bool(), can_load[i]) << ids[i];
        EXPECT_EQ(all[i].at("can_unload").as_bool(), i < 2) << ids[i];
    }
    EXPECT_EQ(all[0].at("requests").to_number<int>(), 9);
    EXPECT_EQ(all[0].at("request_rate_per_min").to_number<double>(), 1.24);
    EXPECT_EQ(all[0].at("last_active_s").to_number<double>(), 4.2);
    EXPECT_EQ(all[0].at("nodes").to_number<int>(), 2);
    EXPECT_EQ(all[1].at("progress").to_number<double>(), 0.5);
    EXPECT_TRUE(all[1].at("size_bytes").is_null());
    EXPECT_TRUE(all[1].at("last_active_s").is_null());
    EXPECT_EQ(text(2, "failure"), "It is broken.");
    EXPECT_EQ(all[3].at("size_bytes").to_number<int>(), 10);
    EXPECT_EQ(all[3].at("context_length").to_number<int>(), 20);
    EXPECT_EQ(text(4, "source"), "hf://a/b/file.gguf");
    EXPECT_TRUE(all[4].at("context_length").is_null());
    EXPECT_EQ(all[6].at("nodes").to_number<int>(), 2);
    EXPECT_EQ(all[6].at("size_bytes").to_number<int>(), 7);
    EXPECT_EQ(all[0].as_object().if_contains("failure"), nullptr);
}

TEST_F(api_models, without_a_mesh_this_nodes_own_requests_count) {
    table_.announce("ready", "ready.gguf");
    table_.set_ready("ready", std::make_shared<testing::scripted_generator>(script_));
    ASSERT_TRUE(table_.choose("ready", std::chrono::steady_clock::now()));
    begin(nullptr, nullptr);
    const json::array all = rows();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].at("requests").to_number<int>(), 1);
    EXPECT_TRUE(all[0].at("last_active_s").is_number());
    EXPECT_FALSE(all[0].at("can_unload").as_bool());
    EXPECT_EQ(status_of(post(R"({"model":"ready","action":"unload"})")), "503");
}

TEST_F(api_models, wishes_are_passed_on_and_accepted) {
    begin(nullptr, &shelf_);
    const std::string loading = post(R"({"model":"hf://a/b/big.gguf","action":"load"})");
    EXPECT_EQ(status_of(loading), "202");
    EXPECT_EQ(json::parse(body_of(loading)), json::parse(R"({"id":"big","state":"loading"})"));
    shelf_.answer->state = "standby";
    const std::string unloading = post(R"({"model":"big","action":"unload"})");
    EXPECT_EQ(status_of(unloading), "202");
    EXPECT_EQ(json::parse(body_of(unloading)), json::parse(R"({"id":"big","state":"standby"})"));
    EXPECT_EQ(shelf_.asked, (std::vector<std::string>{"load hf://a/b/big.gguf", "unload big"}));
}

TEST_F(api_models, what_is_no_wish_is_refused) {
    begin(nullptr, &shelf_);
    EXPECT_EQ(status_of(ask("POST", R"({"model":"big","action":"load"})", "guessed")), "401");
    EXPECT_EQ(status_of(post("[]")), "400");
    EXPECT_EQ(status_of(post(R"({"action":"load"})")), "400");
    EXPECT_EQ(status_of(post(R"({"model":"big"})")), "400");
    EXPECT_EQ(status_of(post(R"({"model":7,"action":"load"})")), "400");
    EXPECT_EQ(status_of(post(R"({"model":"big","action":"eat"})")), "400");
    EXPECT_TRUE(shelf_.asked.empty());
    shelf_.answer = fail(engine::errc::unknown_model, "there is no file big");
    const std::string missing = post(R"({"model":"big","action":"load"})");
    EXPECT_EQ(status_of(missing), "404");
    EXPECT_NE(missing.find("there is no file big"), std::string::npos);
    EXPECT_EQ(status_of(ask("DELETE", "", token)), "405");
}

}  // namespace
}  // namespace starling::api

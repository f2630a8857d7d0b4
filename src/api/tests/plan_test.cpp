// POST /api/plan and what /api/deployments says of split models, with a mesh that is played here.
#include "api/api.hpp"
#include "api/mesh_view.hpp"

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
const std::string self(64, 'a');
const std::string other(64, 'b');

class played_mesh final : public mesh_view {
  public:
    std::string id() const override { return {}; }  // still asking to join: a plan needs no mesh
    std::string removed() const override { return {}; }
    result<route::choice> choose(std::string_view, route::steady_time) override {
        return fail(engine::errc::unknown_model, "none");
    }
    std::vector<mesh_model> models() const override { return {}; }
    std::vector<peer_facts> peers() const override { return {}; }
    std::vector<route::model_demand> demand() const override { return {}; }
    routing_facts routing() const override { return {}; }
    std::vector<deployment_facts> deployments() const override { return told; }
    stage_traffic traffic() const override { return {}; }
    boost::asio::awaitable<result<model_plan>> plan(plan_question what) override {
        asked.push_back(std::move(what));
        co_return answer;
    }
    result<written_invite> invite(std::string_view, std::int64_t, bool) override {
        return fail(engine::errc::unavailable, "none");
    }
    result<void> revoke(std::string_view) override { return {}; }

    std::vector<plan_question> asked;
    result<model_plan> answer = model_plan{};
    std::vector<deployment_facts> told;
};

class api_plan : public ::testing::Test {
  protected:
    void SetUp() override {
        options options;
        options.port = 0;
        node_facts facts;
        facts.node_id = self;
        facts.name = "desk";
        facts.mesh = &mesh_;
        facts.control_token = token;
        server_ = std::make_unique<server>(network_.io.get_executor(), options, models_, facts);
        const auto port = network_.call([this] { return server_->start(); });
        ASSERT_TRUE(port.has_value()) << port.error().message;
        port_ = *port;
    }
    void TearDown() override {
        network_.await(server_->stop());
        network_.call([this] { server_.reset(); });
    }

    static std::string part(const std::string& response, bool body) {
        const auto head = response.find("\r\n\r\n");
        return body ? response.substr(head + 4) : response.substr(9, 3);
    }
    std::string ask(std::string_view method, std::string_view path, const std::string& body, const std::string& key) {
        raw_client client(port_);
        client.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nhost: localhost\r\n" +
                    "content-type: application/json\r\nauthorization: Bearer " + key +
                    "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read_response();
    }
    std::string ask_plan(const std::string& body) { return ask("POST", "/api/plan", body, token); }

    played_mesh mesh_;
    route::model_table models_;
    std::unique_ptr<server> server_;
    std::uint16_t port_ = 0;
    http::testing::network_thread network_;
};

TEST_F(api_plan, tells_stages_sums_the_reason_and_the_table) {
    mesh_.answer = model_plan{.model = "big",
                              .stages = {{.node_id = other,
                                          .name = "attic",
                                          .first_layer = 0,
                                          .last_layer = 4,
                                          .memory_bytes = 1000,
                                          .ms_per_token = 1.5},
                                         {.node_id = self,
                                          .name = "desk",
                                          .first_layer = 5,
                                          .last_layer = 7,
                                          .memory_bytes = 700,
                                          .ms_per_token = 1.25}},
                              .tokens_per_s = 30.5,
                              .total_tokens_per_s = 80.0,
                              .reason = "It fits so.",
                              .table = "a table\n"};
    const std::string response = ask_plan(R"({"model":"big","split":"never","ctx":512,"slots":2})");
    EXPECT_EQ(part(response, false), "200");
    EXPECT_EQ(
        json::parse(part(response, true)),
        json::parse(R"({"model":"big","tokens_per_s":30.5,"total_tokens_per_s":80.0,"reason":"It fits so.",
                  "table":"a table\n","stages":[
                  {"node_id":")" +
                    other +
                    R"(","name":"attic","first_layer":0,"last_layer":4,"memory_bytes":1000,"ms_per_token":1.5},
                  {"node_id":")" +
                    self +
                    R"(","name":"desk","first_layer":5,"last_layer":7,"memory_bytes":700,"ms_per_token":1.25}]})"));
    ASSERT_EQ(mesh_.asked.size(), 1U);
    EXPECT_EQ(mesh_.asked[0].model, "big");
    EXPECT_EQ(mesh_.asked[0].split, "never");
    EXPECT_EQ(mesh_.asked[0].context, 512);
    EXPECT_EQ(mesh_.asked[0].slots, 2);
}

TEST_F(api_plan, what_is_not_given_is_the_nodes_choice_and_machines_may_be_a_number) {
    EXPECT_EQ(part(ask_plan(R"({"model":"big"})"), false), "200");
    EXPECT_EQ(part(ask_plan(R"({"model":"big","split":3})"), false), "200");
    ASSERT_EQ(mesh_.asked.size(), 2U);
    EXPECT_FALSE(mesh_.asked[0].split || mesh_.asked[0].context || mesh_.asked[0].slots);
    EXPECT_EQ(mesh_.asked[1].split, "3");
}

TEST_F(api_plan, a_refusal_comes_in_the_planners_words) {
    mesh_.answer = fail(engine::errc::unavailable, "'big' needs 8.0 GB, and no machine has that much.");
    const std::string response = ask_plan(R"({"model":"big"})");
    EXPECT_EQ(part(response, false), "503");
    EXPECT_EQ(json::parse(part(response, true)).at("error").at("message").as_string(),
              "'big' needs 8.0 GB, and no machine has that much.");
}

TEST_F(api_plan, bad_questions_are_told_with_their_field_and_never_asked) {
    for (const auto& [body, field] :
         std::vector<std::pair<std::string, std::string>>{{R"({})", "model"},
                                                          {R"({"model":7})", "model"},
                                                          {R"({"model":"big","split":17})", "split"},
                                                          {R"({"model":"big","split":true})", "split"},
                                                          {R"({"model":"big","ctx":-1})", "ctx"},
                                                          {R"({"model":"big","slots":"many"})", "slots"}}) {
        const std::string response = ask_plan(body);
        EXPECT_EQ(part(response, false), "400") << body;
        EXPECT_EQ(json::parse(part(response, true)).at("error").at("param").as_string(), field) << body;
    }
    EXPECT_EQ(part(ask_plan("not json"), false), "400");
    EXPECT_TRUE(mesh_.asked.empty());
}

TEST_F(api_plan, wants_the_control_token_because_files_are_read_for_it) {
    EXPECT_EQ(part(ask("POST", "/api/plan", R"({"model":"big"})", "wrong"), false), "401");
    EXPECT_TRUE(mesh_.asked.empty());
}

TEST_F(api_plan, deployments_tell_of_each_stage_and_of_what_is_not_known) {
    mesh_.told = {{.model = "big",
                   .coordinator = self,
                   .epoch = 3,
                   .state = "repairing",
                   .stages = {{.node_id = other,
                               .name = "attic",
                               .first_layer = 0,
                               .last_layer = 4,
                               .memory_bytes = 1000,
                               .ms_per_token = 1.5,
                               .state = "lost"},
                              {.node_id = self, .name = "desk", .first_layer = 5, .last_layer = 7, .state = "loading"}},
                   .reason = "It fits so."}};
    EXPECT_EQ(json::parse(part(ask("GET", "/api/deployments", "", ""), true)),
              json::parse(R"([{"model":"big","coordinator":")" + self +
                          R"(","epoch":3,"state":"repairing","reason":"It fits so.","stages":[
                  {"node_id":")" +
                          other +
                          R"(","name":"attic","first_layer":0,"last_layer":4,"memory_bytes":1000,"ms_per_token":1.5,
                   "state":"lost"},
                  {"node_id":")" +
                          self +
                          R"(","name":"desk","first_layer":5,"last_layer":7,"memory_bytes":null,"ms_per_token":null,
                   "state":"loading"}]}])"));
}

}  // namespace
}  // namespace starling::api

#include "dispatch/delivered_answer.hpp"
#include "dispatch/in_flight_table.hpp"
#include "dispatch/lru_map.hpp"
#include "dispatch/prefix_table.hpp"
#include "dispatch/speed_table.hpp"
#include "dispatch/tests/fakes.hpp"
#include "dispatch/tried_table.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace starling::dispatch {

node_and_model on(std::uint8_t id) {
    return {id_of(id), "m"};
}

TEST(LruMap, TheOneUnusedForLongestMakesRoom) {
    lru_map<int, int> map(2);
    map[1] = 10;
    map[2] = 20;
    EXPECT_EQ(*map.find(1), 10);
    map[3] = 30;
    EXPECT_EQ(map.find(2), nullptr);
    EXPECT_EQ(*map.find(1), 10);
    EXPECT_EQ(*map.find(3), 30);
    EXPECT_EQ(map.size(), 2U);
}

TEST(InFlight, WhatWeSentThereCountsAtOnce) {
    in_flight_table table;
    EXPECT_EQ(table.count(on(1)), 0);
    table.begin(on(1));
    table.begin(on(1));
    table.begin(on(2));
    EXPECT_EQ(table.count(on(1)), 2);
    table.end(on(1));
    table.end(on(2));
    table.end(on(2));
    EXPECT_EQ(table.count(on(1)), 1);
    EXPECT_EQ(table.count(on(2)), 0);
    EXPECT_EQ(table.count({id_of(1), "other"}), 0);
}

TEST(InFlight, AReportIsCorrectedUpwardsOnly) {
    route::worker_view seen;
    seen.slots = 4;
    seen.busy = 1;
    EXPECT_EQ(with_own(seen, 0).busy, 1);
    EXPECT_EQ(with_own(seen, 3).busy, 3);
    EXPECT_EQ(with_own(seen, 3).queued, 0);
    EXPECT_EQ(with_own(seen, 7).busy, 4);
    EXPECT_EQ(with_own(seen, 7).queued, 3);
    seen.busy = 4;
    seen.queued = 5;
    EXPECT_EQ(with_own(seen, 6).busy, 4);
    EXPECT_EQ(with_own(seen, 6).queued, 5);
}

TEST(InFlight, SixteenAtOnceOverFourEquals) {
    std::array<route::worker_view, 4> reports;
    for (std::uint8_t i = 0; i < 4; ++i) {
        reports[i].id = id_of(i);
        reports[i].slots = 4;
        reports[i].health = route::assess({}, 0, 8);
    }
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        in_flight_table table;
        for (std::uint64_t request = 0; request < 16; ++request) {
            auto views = reports;
            for (auto& view : views) {
                view = with_own(view, table.count({view.id, "m"}));
            }
            const auto choice =
                route::choose_worker(views, {.prompt_tokens = 200, .tried = {}}, uniform_draw(seed, request));
            table.begin({views[choice->index].id, "m"});
        }
        for (std::uint8_t i = 0; i < 4; ++i) {
            EXPECT_EQ(table.count(on(i)), 4) << "seed " << seed;
        }
    }
}

TEST(Speed, OfAStreamAlone) {
    speed_table table;
    route::worker_view view;
    view.decode_tokens_per_s = 7.0;
    table.apply(on(1), view);
    EXPECT_EQ(view.decode_tokens_per_s, 7.0) << "the worker's own figure";
    table.learn(on(1), {.prefill_tokens = 1'000, .prefill_ms = 500, .decode_tokens = 101, .decode_ms = 2'000});
    table.apply(on(1), view);
    EXPECT_DOUBLE_EQ(view.prefill_tokens_per_s, 2'000.0);
    EXPECT_DOUBLE_EQ(view.decode_tokens_per_s, 50.0);
    table.learn(on(1), {.prefill_tokens = 1'000, .prefill_ms = 1'000, .decode_tokens = 101, .decode_ms = 1'000});
    table.apply(on(1), view);
    EXPECT_DOUBLE_EQ(view.prefill_tokens_per_s, 1'700.0);
    EXPECT_DOUBLE_EQ(view.decode_tokens_per_s, 65.0);
    route::worker_view other;
    table.apply(on(2), other);
    EXPECT_EQ(other.decode_tokens_per_s, 0.0);
}

TEST(Speed, WhatRanBesideIsTakenOut) {
    speed_table table;
    table.learn(on(1), {.decode_tokens = 101, .decode_ms = 2'500, .beside = 3.0});
    route::worker_view view;
    table.apply(on(1), view);
    EXPECT_DOUBLE_EQ(view.decode_tokens_per_s, 100.0);
}

TEST(Speed, ShortOnesSayNothing) {
    speed_table table;
    table.learn(on(1), {.prefill_tokens = 5, .prefill_ms = 40, .decode_tokens = 2, .decode_ms = 1});
    table.learn(on(1), {.prefill_tokens = 500, .prefill_ms = 0, .decode_tokens = 200, .decode_ms = 0});
    route::worker_view view;
    table.apply(on(1), view);
    EXPECT_EQ(view.prefill_tokens_per_s, 0.0);
    EXPECT_EQ(view.decode_tokens_per_s, 0.0);
}

std::int32_t cached(prefix_table& table, const engine::generate_request& request, std::uint8_t at) {
    for (const auto& holder : table.holders(chain_of("m", request))) {
        if (holder.node == id_of(at)) {
            return holder.tokens;
        }
    }
    return 0;
}

TEST(Prefix, OfAConversation) {
    prefix_table table;
    const std::vector<engine::message> talk{say(engine::role::system, std::string(400, 's')),
                                            say(engine::role::user, std::string(400, 'u'))};
    table.remember(chain_of("m", chat(talk)), id_of(1));
    table.remember(chain_of("m", chat({talk[0]})), id_of(2));
    auto more = talk;
    more.push_back(say(engine::role::assistant, "yes"));
    more.push_back(say(engine::role::user, std::string(4'000, 'v')));
    EXPECT_NEAR(cached(table, chat(more), 1), 208, 4);
    EXPECT_NEAR(cached(table, chat(more), 2), 104, 4);
    EXPECT_EQ(cached(table, chat(more), 3), 0);

    auto other = more;
    other[1].content[0] = 'x';
    EXPECT_NEAR(cached(table, chat(other), 1), 104, 4);
    other[0].role = engine::role::user;
    EXPECT_EQ(cached(table, chat(other), 1), 0);
    EXPECT_TRUE(table.holders(chain_of("other model", chat(more))).empty());
    auto with_tools = chat(more);
    std::get<engine::chat_prompt>(with_tools.prompt)
        .tools.push_back({.name = "f", .description = {}, .parameters = "{}"});
    EXPECT_EQ(cached(table, with_tools, 1), 0);
}

TEST(Prefix, TheAnswerIsPartOfTheNextTurn) {
    auto talk = chat({say(engine::role::user, "a")});
    const auto chain = chain_of("m", talk);
    const auto link = after_answer(chain.links.back().hash, running_hash().add_more("two ").add_more("words").value());
    std::get<engine::chat_prompt>(talk.prompt).messages.push_back(say(engine::role::assistant, "two words"));
    EXPECT_EQ(chain_of("m", talk).links.back().hash, link);
    std::get<engine::chat_prompt>(talk.prompt).messages.back().content = "two  words";
    EXPECT_NE(chain_of("m", talk).links.back().hash, link);
}

TEST(Prefix, OfTextAndTokens) {
    prefix_table table;
    std::string text(1'000, 't');
    table.remember(chain_of("m", request(text)), id_of(1));
    EXPECT_EQ(cached(table, request(text + text), 1), 192) << "three blocks of 256 characters";
    text[300] = 'x';
    EXPECT_EQ(cached(table, request(text), 1), 64);

    auto tokens = request();
    tokens.prompt = engine::token_prompt{std::vector<engine::token_id>(200, 5)};
    table.remember(chain_of("m", tokens), id_of(2));
    EXPECT_EQ(chain_of("m", tokens).tokens, 200);
    EXPECT_EQ(cached(table, tokens, 2), 192);
    std::get<engine::token_prompt>(tokens.prompt).tokens[130] = 6;
    EXPECT_EQ(cached(table, tokens, 2), 128);
    EXPECT_EQ(cached(table, tokens, 1), 0);
}

TEST(Prefix, IsBounded) {
    prefix_table table(100);
    for (int i = 0; i < 500; ++i) {
        table.remember(chain_of("m", chat({say(engine::role::user, std::to_string(i))})), id_of(1));
    }
    EXPECT_EQ(table.size(), 100U);
    EXPECT_GT(cached(table, chat({say(engine::role::user, "499")}), 1), 0);
    EXPECT_EQ(cached(table, chat({say(engine::role::user, "399")}), 1), 0);
    EXPECT_EQ(chain_of("m", request(std::string(1'000'000, 'x'))).links.size(), max_links);
    EXPECT_EQ(chain_of("m", request(std::string(1'000'000, 'x'))).tokens, 250'000);

    const auto common = chain_of("m", chat({say(engine::role::system, "s")}));
    for (std::uint8_t id = 0; id < 9; ++id) {
        table.remember(common, id_of(id));
    }
    EXPECT_EQ(table.holders(common).size(), max_holders_of_prefix);
}

TEST(Tried, NobodyTwiceInARound) {
    tried_table table;
    const std::shared_ptr<engine::generator> generator = std::make_shared<fake_generator>();
    EXPECT_FALSE(table.excludes(id_of(1), generator));
    table.asked(id_of(1));
    EXPECT_TRUE(table.excludes(id_of(1), generator));
    EXPECT_TRUE(table.excludes(id_of(1), std::make_shared<fake_generator>()));
    table.next_round();
    EXPECT_FALSE(table.excludes(id_of(1), generator));
}

TEST(Tried, WhoBrokeDownIsAskedAgainWhenItCameBack) {
    tried_table table;
    std::shared_ptr<engine::generator> generator = std::make_shared<fake_generator>();
    table.gave_up_on(id_of(1), generator);
    table.next_round();
    EXPECT_TRUE(table.excludes(id_of(1), generator));
    EXPECT_FALSE(table.excludes(id_of(2), generator));
    const std::shared_ptr<engine::generator> back = std::make_shared<fake_generator>();
    EXPECT_FALSE(table.excludes(id_of(1), back));
    generator.reset();
    EXPECT_FALSE(table.excludes(id_of(1), std::make_shared<fake_generator>()));
    table.gave_up_on(id_of(1), back);
    EXPECT_TRUE(table.excludes(id_of(1), back));
}

engine::chunk piece(std::string text, std::vector<engine::token_id> tokens = {}) {
    engine::chunk out;
    out.content = std::move(text);
    for (const auto id : tokens) {
        out.tokens.push_back({.id = id, .bytes = {}, .logprob = {}, .alternatives = {}});
    }
    return out;
}

TEST(Delivered, TextWithoutATokenIsNotRepeated) {
    delivered_answer answer({}, std::nullopt);
    EXPECT_FALSE(answer.anything());
    auto chunk = piece("ab", {1, 2});
    EXPECT_TRUE(answer.take(chunk));
    chunk = piece("<en");
    EXPECT_TRUE(answer.take(chunk));
    answer.continue_elsewhere();
    chunk = piece("<");
    EXPECT_FALSE(answer.take(chunk)) << "a part of what the client has";
    chunk = piece("end");
    chunk.reasoning = "why";
    chunk.tool_calls.push_back({.index = 0, .id = "a", .name = "f", .arguments = "{}"});
    EXPECT_TRUE(answer.take(chunk));
    EXPECT_EQ(chunk.content, "d");
    answer.continue_elsewhere();
    chunk = piece("<end!");
    chunk.reasoning = "why not";
    chunk.tool_calls.resize(2);
    EXPECT_TRUE(answer.take(chunk));
    EXPECT_EQ(chunk.content, "!");
    EXPECT_EQ(chunk.reasoning, " not");
    EXPECT_EQ(chunk.tool_calls.size(), 1U);
    EXPECT_EQ(answer.tokens(), (std::vector<engine::token_id>{1, 2}));
}

TEST(Delivered, AfterATokenEverythingIsNew) {
    delivered_answer answer({}, std::nullopt);
    auto chunk = piece("a", {1});
    answer.take(chunk);
    chunk = piece("b");
    answer.take(chunk);
    chunk = piece("c", {2});
    answer.take(chunk);
    answer.continue_elsewhere();
    chunk = piece("d");
    EXPECT_TRUE(answer.take(chunk));
    EXPECT_EQ(chunk.content, "d");
}

TEST(Delivered, AfterTheLastTokenOnlyTheEndIsMissing) {
    delivered_answer answer({7}, 2);
    EXPECT_EQ(answer.tokens().size(), 1U);
    EXPECT_FALSE(answer.anything());
    auto chunk = piece("a...", {8});
    EXPECT_TRUE(answer.take(chunk));
    answer.continue_elsewhere();
    chunk = piece("...");
    EXPECT_FALSE(answer.take(chunk));
}

TEST(Delivered, WhetherItIsTextAndKnown) {
    delivered_answer answer({}, std::nullopt);
    auto chunk = piece("ab", {1});
    answer.take(chunk);
    EXPECT_EQ(answer.text_hash(), running_hash().add_more("ab").value());
    EXPECT_TRUE(answer.known_by_token());
    chunk = piece("c", {engine::no_token});
    answer.take(chunk);
    EXPECT_FALSE(answer.known_by_token());
    chunk = piece("", {2});
    chunk.tool_calls.resize(1);
    answer.take(chunk);
    EXPECT_FALSE(answer.text_hash());
    EXPECT_FALSE(answer.known_by_token());
    EXPECT_FALSE(delivered_answer({1}, std::nullopt).text_hash()) << "the text before is not known here";
}

}  // namespace starling::dispatch

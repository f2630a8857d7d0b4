#include "openai/schema_limits.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace starling::openai {

std::optional<std::string> fault_of(std::string_view text) {
    return schema_fault(boost::json::parse(text).as_object());
}

TEST(SchemaLimits, WhatPeopleWriteIsTaken) {
    EXPECT_EQ(fault_of("{}"), std::nullopt);
    EXPECT_EQ(fault_of(R"({"type":"array","minItems":2,"maxItems":2,"items":{"$ref":"#/$defs/a"},
                           "$defs":{"a":{"type":"string","minLength":1,"maxLength":100}}})"),
              std::nullopt);
    EXPECT_EQ(fault_of(R"({"properties":{"minItems":{"type":"integer"},"maxItems":{"type":"integer"}}})"),
              std::nullopt);
}

TEST(SchemaLimits, ARangeThatCountsDownOrIsTooLongIsRefused) {
    EXPECT_EQ(fault_of(R"({"items":{"type":"array","minItems":5,"maxItems":3}})"),
              "its 'minItems' of 5 is more than its 'maxItems' of 3");
    EXPECT_TRUE(fault_of(R"({"minLength":1e9})"));
    EXPECT_TRUE(fault_of(R"({"maxLength":-1})"));
}

TEST(SchemaLimits, WhatTakesTooMuchWorkIsRefused) {
    boost::json::object properties;
    for (std::size_t i = 0; i <= max_schema_properties; ++i) {
        properties[fmt::format("p{}", i)] = boost::json::object();
    }
    EXPECT_TRUE(schema_fault({{"properties", properties}}));
    properties.erase("p0");
    EXPECT_FALSE(schema_fault({{"properties", properties}}));

    boost::json::array chain;
    for (std::size_t i = 0; i <= max_schema_references; ++i) {
        chain.push_back(boost::json::object{{"$ref", "#/a"}});
    }
    EXPECT_TRUE(schema_fault({{"anyOf", chain}}));
    EXPECT_TRUE(schema_fault({{"enum", boost::json::array(max_schema_values, 0)}}));
}

}  // namespace starling::openai

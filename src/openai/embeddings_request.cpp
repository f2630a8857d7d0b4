#include "openai/common_fields.hpp"
#include "openai/field_reader.hpp"
#include "openai/request.hpp"

#include <fmt/format.h>

#include <limits>

namespace starling::openai {

namespace {

using input_variant = std::variant<std::string, std::vector<engine::token_id>>;

void add_input(const json::value& value, const std::string& path, std::vector<input_variant>& inputs,
               complaints& found) {
    if (value.is_string() && !value.get_string().empty()) {
        inputs.emplace_back(std::string(value.get_string()));
    } else if (value.is_array() && !value.get_array().empty()) {
        inputs.emplace_back(read_tokens(value.get_array(), path, found));
    } else if (value.is_string() || value.is_array()) {
        found.add(errc::invalid_value, path, fmt::format("'{}' must not be empty.", path));
    } else {
        found.add(errc::invalid_value, path,
                  fmt::format("'{}' must be a string or an array of token ids, but it is {}.", path, kind_of(value)));
    }
}

std::vector<input_variant> read_inputs(const field_reader& fields) {
    std::vector<input_variant> inputs;
    const auto* input = fields.find("input");
    if (input == nullptr) {
        fields.complain(errc::missing_value, "input",
                        "'input' is missing; it must be a string or an array of strings.");
        return inputs;
    }
    const bool is_list = input->is_array() && !input->get_array().empty() && !input->get_array().front().is_int64();
    if (!is_list) {
        add_input(*input, "input", inputs, fields.found());
        return inputs;
    }
    const auto& list = input->get_array();
    if (list.size() > max_embedding_inputs) {
        fields.complain(errc::invalid_value, "input",
                        fmt::format("'input' may hold at most {} inputs.", max_embedding_inputs));
        return inputs;
    }
    for (std::size_t i = 0; i < list.size() && !fields.found().any(); ++i) {
        add_input(list[i], fmt::format("input[{}]", i), inputs, fields.found());
    }
    return inputs;
}

}  // namespace

parsed<embeddings_request> parse_embeddings_request(std::string_view body) {
    auto root = parse_body(body);
    if (root.has_error()) {
        return std::move(root).error();
    }
    complaints found;
    const field_reader fields(root->get_object(), "", found);
    embeddings_request request;
    request.embed.model = fields.string("model").value_or(std::string_view{});
    request.embed.inputs = read_inputs(fields);
    const auto encoding = fields.string("encoding_format").value_or("float");
    if (encoding == "base64") {
        request.encoding = embedding_encoding::base64;
    } else if (encoding != "float") {
        fields.complain(errc::invalid_value, "encoding_format", "'encoding_format' must be 'float' or 'base64'.");
    }
    if (const auto dimensions = fields.integer("dimensions", 1, std::numeric_limits<std::int32_t>::max())) {
        request.dimensions = static_cast<std::int32_t>(*dimensions);
    }
    if (found.any()) {
        return found.take();
    }
    return request;
}

}  // namespace starling::openai

#include "openai/answer.hpp"
#include "openai/json_text.hpp"

namespace starling::openai {

namespace {

void append_model(std::string& out, const listed_model& model) {
    out += R"({"id":)";
    append_json_string(out, model.id);
    out += R"(,"object":"model","created":)";
    append_json_int(out, model.created_s);
    out += R"(,"owned_by":"starling","meta":{"architecture":)";
    append_json_string_or_null(out, model.info.architecture);
    out += R"(,"parameters":)";
    append_json_int(out, static_cast<std::int64_t>(model.info.parameters));
    out += R"(,"size_bytes":)";
    append_json_int(out, static_cast<std::int64_t>(model.info.size_bytes));
    out += R"(,"context_length":)";
    append_json_int(out, model.info.context_length);
    out += R"(,"embedding_length":)";
    append_json_int(out, model.info.embedding_length);
    out += "}}";
}

}  // namespace

std::string model_answer(const listed_model& model) {
    std::string out;
    append_model(out, model);
    return out;
}

std::string model_list_answer(std::span<const listed_model> models) {
    std::string out = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < models.size(); ++i) {
        out += i == 0 ? "" : ",";
        append_model(out, models[i]);
    }
    out += "]}";
    return out;
}

}  // namespace starling::openai

// The answers that are not streamed: errors, embeddings, the list of models.
#include "upstream/answer_codec.hpp"
#include "wire/json_access.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace starling::upstream {

namespace json = boost::json;
using wire::array_member;
using wire::count_member;
using wire::member;
using wire::number_member;
using wire::parse_or_null;
using wire::string_member;

namespace {

/// A message is for one line of a log or a terminal; a proxy's whole HTML page is not.
constexpr std::size_t max_message_bytes = 400;

struct reported {
    std::string message;
    std::string type;
    std::string code;
    int status = 0;
};

reported read_report(std::string_view body) {
    reported out;
    const json::value parsed = parse_or_null(body);
    const json::value* about = member(parsed, "error");
    if (about == nullptr) {
        about = &parsed;
    }
    if (const json::string* text = about->if_string()) {
        out.message = std::string(text->data(), text->size());
        return out;
    }
    out.message = string_member(*about, "message");
    if (out.message.empty()) {
        out.message = string_member(*about, "detail");
    }
    out.type = string_member(*about, "type");
    out.code = string_member(*about, "code");
    out.status = count_member(*about, "code");
    if (out.message.empty() && !parsed.is_object() && body.find('<') == std::string_view::npos) {
        out.message = body;
    }
    return out;
}

std::string on_one_line(std::string text, std::string_view secret) {
    if (!secret.empty()) {
        for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret)) {
            text.replace(at, secret.size(), "***");
        }
    }
    std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    if (text.size() > max_message_bytes) {
        std::size_t end = max_message_bytes;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;  // never in the middle of a character
        }
        text.resize(end);
        text += "…";
    }
    while (!text.empty() && text.back() == ' ') {
        text.pop_back();
    }
    return text;
}

engine::errc code_of(int status, const reported& report) {
    if (report.code == "context_length_exceeded" || report.type == "exceed_context_size_error") {
        return engine::errc::prompt_too_long;
    }
    switch (status) {
        case 400:
        case 413:
        case 422: return engine::errc::invalid_request;
        case 404: return engine::errc::unknown_model;
        case 429: return engine::errc::queue_full;
        case 501: return engine::errc::unsupported;
        case 502:
        case 503:
            // Starling's own nodes say it by the code, llama.cpp's server by the message.
            return report.code == "model_loading" || report.message.starts_with("Loading") ? engine::errc::loading
                                                                                           : engine::errc::unavailable;
        case 408:
        case 504: return engine::errc::deadline;
        default: return engine::errc::upstream_error;
    }
}

result<std::vector<float>> unit_vector(const json::array& numbers) {
    std::vector<float> out;
    out.reserve(numbers.size());
    double square = 0.0;
    for (const json::value& number : numbers) {
        if (!number.is_number()) {
            return fail(engine::errc::upstream_error,
                        "The upstream server sent an embedding that is not made of numbers.");
        }
        const double value = number.to_number<double>();
        square += value * value;
        out.push_back(static_cast<float>(value));
    }
    if (square > 0.0) {
        const auto scale = static_cast<float>(1.0 / std::sqrt(square));
        for (float& value : out) {
            value *= scale;
        }
    }
    return out;
}

}  // namespace

error error_of(int status, std::string_view body, const server_words& server) {
    const reported report = read_report(body);
    if (status == 0) {
        status = report.status;
    }
    std::string message = server.name;
    if (status == 401 || status == 403) {
        message += " refused the API key (" + std::to_string(status) + ")";
        message += server.key_flag.empty() ? "" : "; check " + server.key_flag;
    } else if (status != 0) {
        message += " answered with status " + std::to_string(status);
    } else {
        message += " reported an error in the middle of the answer";
    }
    const std::string said = on_one_line(report.message, server.secret);
    message += said.empty() ? "." : ": " + said;
    return fail(code_of(status, report), std::move(message));
}

result<engine::embedding_result> parse_embeddings(std::string_view body, std::size_t expected) {
    const json::value parsed = parse_or_null(body);
    const json::array* data = array_member(parsed, "data");
    if (data == nullptr || data->size() != expected) {
        return fail(engine::errc::upstream_error, "The upstream server did not send one embedding for each input.");
    }
    engine::embedding_result out;
    out.vectors.resize(expected);
    for (std::size_t position = 0; position < expected; ++position) {
        const json::value& item = (*data)[position];
        const json::array* numbers = array_member(item, "embedding");
        const std::size_t index =
            number_member(item, "index") ? static_cast<std::size_t>(count_member(item, "index")) : position;
        if (numbers == nullptr || index >= expected) {
            return fail(engine::errc::upstream_error,
                        "The upstream server sent an embedding without its numbers or its place.");
        }
        auto vector = unit_vector(*numbers);
        if (!vector) {
            return vector.error();
        }
        out.vectors[index] = std::move(*vector);
    }
    if (const json::value* usage = member(parsed, "usage")) {
        out.prompt_tokens = count_member(*usage, "prompt_tokens");
    }
    return out;
}

result<std::vector<std::string>> parse_models(std::string_view body) {
    const json::value parsed = parse_or_null(body);
    const json::array* data = array_member(parsed, "data");
    if (data == nullptr) {
        return fail(engine::errc::upstream_error, "The server's list of models is not one that the OpenAI API knows.");
    }
    std::vector<std::string> names;
    for (const json::value& item : *data) {
        if (const std::string_view id = string_member(item, "id"); !id.empty()) {
            names.emplace_back(id);
        }
    }
    return names;
}

}  // namespace starling::upstream

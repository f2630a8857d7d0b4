#include "models/sidecar.hpp"

#include <boost/json.hpp>

namespace starling::models {

namespace {

std::string text_of(const boost::json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    const auto* text = found != nullptr ? found->if_string() : nullptr;
    return text != nullptr ? std::string(*text) : std::string();
}

}  // namespace

std::string to_json(const sidecar& what) {
    boost::json::object out;
    out["source"] = what.source;
    out["size_bytes"] = what.published.size_bytes;
    out["etag"] = what.published.etag;
    if (what.published.sha256) {
        out["sha256"] = *what.published.sha256;
    }
    if (!what.storage_etag.empty()) {
        out["storage_etag"] = what.storage_etag;
    }
    return boost::json::serialize(out) + "\n";
}

std::optional<sidecar> parse_sidecar(std::string_view json) {
    boost::system::error_code failed;
    const boost::json::value parsed = boost::json::parse(json, failed);
    const auto* object = failed ? nullptr : parsed.if_object();
    const auto* size = object != nullptr ? object->if_contains("size_bytes") : nullptr;
    const auto size_bytes = size != nullptr ? size->to_number<std::uint64_t>(failed) : 0U;
    if (failed || size_bytes == 0) {
        return std::nullopt;
    }
    sidecar out;
    out.source = text_of(*object, "source");
    out.published.size_bytes = size_bytes;
    out.published.etag = text_of(*object, "etag");
    const std::string sha256 = text_of(*object, "sha256");
    if (!sha256.empty()) {
        out.published.sha256 = sha256;
    }
    out.storage_etag = text_of(*object, "storage_etag");
    return out;
}

}  // namespace starling::models

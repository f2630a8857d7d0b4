// library: models
//
// What comes from outside in words: model references, a hub's answer, and the sidecar file of a download.
#include "models/hub.hpp"
#include "models/reference.hpp"
#include "models/sidecar.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace {

using namespace starling;

// A reference that is taken must parse to itself, and its file must lie below its repository.
void try_reference(std::string_view text) {
    const auto parsed = models::parse_reference(text);
    if (!parsed) {
        return;
    }
    const auto again = models::parse_reference(parsed->text());
    if (!again || again->text() != parsed->text() || again->kind != parsed->kind) {
        std::abort();
    }
    if (parsed->kind != models::reference_kind::hub) {
        return;
    }
    const std::filesystem::path below = std::filesystem::path(parsed->owner) / parsed->repository / parsed->path;
    if (below.lexically_normal() != below || below.is_absolute() || *below.begin() == "..") {
        std::abort();
    }
    (void)models::file_url("https://hub.example", *parsed);
}

// Lines of "name: value".
void try_head(std::string_view text) {
    fetch::response_head head;
    head.status = text.size() % 2 == 0 ? 200 : 302;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t colon = std::min(line.find(": "), line.size());
        head.headers.emplace_back(line.substr(0, colon), line.substr(std::min(line.size(), colon + 2)));
    }
    const auto which = models::parse_reference("hf://owner/repository/file.gguf");
    const auto published = models::read_published(head, *which);
    if (published && published->size_bytes == 0) {
        std::abort();
    }
    const std::string kept = models::redirect_within("https://hub.example", head);
    if (!kept.empty() && !kept.starts_with("https://hub.example")) {
        std::abort();
    }
}

void try_sidecar(std::string_view text) {
    const auto parsed = models::parse_sidecar(text);
    if (parsed && !models::parse_sidecar(models::to_json(*parsed))) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0: try_reference(text); break;
        case 1: try_head(text); break;
        case 2: try_sidecar(text); break;
        default: (void)models::parse_content_range(text); break;
    }
    return 0;
}

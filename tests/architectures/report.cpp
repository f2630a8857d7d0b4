#include "report.hpp"

#include <algorithm>

namespace starling::architectures {

namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' || c == '\\' ? std::string{'\\', c}
                                     : std::string(1, static_cast<unsigned char>(c) < ' ' ? ' ' : c);
    }
    return out + "\"";
}

bool is_supported(const outcome& o) {
    return o.refusal.empty() && o.failure.empty();
}

std::string reason(const outcome& o) {
    return o.refusal.empty() ? o.failure : o.refusal;
}

std::string list(const std::vector<std::int32_t>& cuts) {
    std::string out;
    for (const std::int32_t cut : cuts) {
        out += (out.empty() ? "" : ",") + std::to_string(cut);
    }
    return out;
}

constexpr const char* introduction =
    R"(# Architectures that can be split

A model that no single machine has room for is cut by layers, and each machine computes a stage of them. That is offered
only for architectures whose stages compute what the whole model computes, bit for bit. This list is not written by
hand: `tests/architectures` makes a small model of every architecture for which the pinned llama.cpp can make one, cuts
it at every place where `starling::gguf::legal_cuts` allows it, in two and in three, and compares the logits of a
prompt, of single tokens, and of others after some were taken back. `./dev test -R architectures` runs it, and fails
where the outcome is not the one below; `architectures --write` writes both this file and `docs/architectures.json`.

Exact means: on the same backend, with the same types of weights, and with hidden states sent as f32. A split model
takes text alone: images would have to be added in several stages.

Where a model may be cut depends on its layers. Those of most models are alike. Models that mix layers with a sliding
window and without, or with a recurrent state and with attention, need one of each in every stage. Real models have
other numbers of layers than the small ones here: `starling models show` lists the places of a file, and
`starling models slice` cuts it.
)";

}  // namespace

std::string as_json(const std::vector<outcome>& outcomes) {
    std::string out = "[\n";
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const outcome& o = outcomes[i];
        out += "{\"arch\":" + quoted(o.architecture) + ",\"kind\":" + quoted(o.kind);
        out += is_supported(o)
                   ? ",\"supported\":true,\"layers\":" + std::to_string(o.layers) + ",\"cuts\":[" + list(o.cuts) + "]}"
                   : ",\"supported\":false,\"reason\":" + quoted(reason(o)) + "}";
        out += i + 1 < outcomes.size() ? ",\n" : "\n";
    }
    return out + "]\n";
}

std::string as_table(const std::vector<outcome>& outcomes) {
    const auto supported = std::count_if(outcomes.begin(), outcomes.end(), is_supported);
    std::string out = introduction;
    out += "\n## Supported: " + std::to_string(supported) + " of " + std::to_string(outcomes.size()) + "\n\n";
    out += "| architecture | experts | may be cut | cuts of a small model |\n|---|---|---|---|\n";
    for (const outcome& o : outcomes) {
        if (is_supported(o)) {
            out += "| " + o.architecture + " | " + (o.kind == "moe" ? "yes" : "no") + " | " + o.where + " | " +
                   list(o.cuts) + " of " + std::to_string(o.layers) + " |\n";
        }
    }
    out += "\n## Refused\n\n| architecture | why |\n|---|---|\n";
    for (const outcome& o : outcomes) {
        if (!is_supported(o)) {
            out += "| " + o.architecture + " | " + reason(o) + " |\n";
        }
    }
    out +=
        "| every other | its stages have not been shown to compute the same as the whole: the pinned llama.cpp makes "
        "no small model of it |\n";
    return out;
}

}  // namespace starling::architectures

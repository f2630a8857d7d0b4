// starling models list|show|pull|rm|slice: the model files of this machine.
#include "models/models.hpp"
#include "base/size_text.hpp"
#include "command_line.hpp"
#include "gguf/slice.hpp"
#include "model_slice.hpp"
#include "model_tools.hpp"
#include "terminal.hpp"
#include "verbs.hpp"
#include "wait.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace starling::cli {

namespace {

struct model_arguments {
    given_settings given;
    std::string reference;
};

int list(const model_arguments& arguments) {
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    const auto models = tools->store->list();
    if (!models) {
        return report(models.error());
    }
    std::size_t width = 0;
    for (const models::local_model& model : *models) {
        width = std::max(width, model.id.size());
    }
    for (const models::local_model& model : *models) {
        std::printf("%-*s  %9s  %s\n", static_cast<int>(width), model.id.c_str(), size_text(model.size_bytes).c_str(),
                    model.source.c_str());
    }
    if (models->empty()) {
        std::puts("There is no model on this machine; fetch one with: starling models pull hf://owner/repo/file.gguf");
    }
    return done;
}

void print_details(const models::model_details& about) {
    std::printf("id           %s\n", about.file.id.c_str());
    std::printf("name         %s\n", printable(about.name).c_str());
    std::printf("file         %s (%s)\n", about.file.path.c_str(), size_text(about.file.size_bytes).c_str());
    std::printf("source       %s\n", about.file.source.c_str());
    if (about.file.sha256) {
        std::printf("sha256       %s\n", about.file.sha256->c_str());
    }
    constexpr double million = 1e6;
    std::printf("architecture %s, %lld layers, %.1f million parameters, %s\n", printable(about.architecture).c_str(),
                static_cast<long long>(about.layers), static_cast<double>(about.parameters) / million,
                about.quantization.c_str());
    if (about.experts > 0) {
        std::printf("experts      %lld\n", static_cast<long long>(about.experts));
    }
    std::printf("context      %lld tokens, vocabulary of %lld\n", static_cast<long long>(about.context_length),
                static_cast<long long>(about.vocabulary));
    std::printf("chat         %s\n", about.has_chat_template ? "yes" : "no template; it only continues text");
    std::printf("memory       about %s (weights %s, context %s, work %s)\n",
                size_text(about.memory.total_bytes()).c_str(), size_text(about.memory.weights_bytes).c_str(),
                size_text(about.memory.kv_bytes).c_str(), size_text(about.memory.work_bytes).c_str());
}

// "2, 4 to 7, 9"
std::string shown_places(const std::vector<std::int32_t>& cuts) {
    std::string out;
    for (std::size_t i = 0; i < cuts.size();) {
        std::size_t end = i + 1;
        while (end < cuts.size() && cuts[end] == cuts[end - 1] + 1) {
            ++end;
        }
        out += (out.empty() ? "" : ", ") + std::to_string(cuts[i]);
        out += end > i + 1 ? (end > i + 2 ? " to " : ", ") + std::to_string(cuts[end - 1]) : "";
        i = end;
    }
    return out;
}

void print_cuts(const std::filesystem::path& file) {
    const auto header = gguf::read_header(file);
    if (!header) {
        return;  // what it says was read a moment ago
    }
    if (const auto origin = gguf::origin_of(*header); origin && origin->layers.size() < origin->of_layers) {
        std::printf("slice        layers %d:%d of %d%s%s\n", origin->layers.first, origin->layers.end,
                    origin->of_layers, origin->content.empty() ? "" : " of the model ",
                    printable_line(origin->content).c_str());
        return;
    }
    const auto cuts = gguf::legal_cuts(*header);
    const std::string where = !cuts           ? cuts.error().message
                              : cuts->empty() ? "nowhere: it has too few layers"
                                              : "before layer " + shown_places(*cuts);
    std::printf("can be cut   %s\n", where.c_str());
}

int show(const model_arguments& arguments) {
    const auto reference = models::parse_reference(arguments.reference);
    if (!reference) {
        return report(reference.error());
    }
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    const auto about = tools->store->show(*reference);
    if (!about) {
        return report(about.error());
    }
    print_details(*about);
    print_cuts(about->file.path);
    return done;
}

std::string pull_detail(const models::pull_progress& progress) {
    std::string out = size_text(progress.bytes);
    if (progress.total_bytes > 0) {
        out += " of " + size_text(progress.total_bytes);
    }
    switch (progress.phase) {
        case models::pull_phase::waiting: return out + ", another program is fetching it";
        case models::pull_phase::checking: return out + ", checking what is here";
        case models::pull_phase::retrying: return out + ", the connection was cut; trying again";
        case models::pull_phase::downloading: break;
    }
    if (progress.bytes_per_s > 0.0) {
        out += ", " + size_text(static_cast<std::uint64_t>(progress.bytes_per_s)) + "/s";
        if (progress.total_bytes > progress.bytes) {
            const double left = static_cast<double>(progress.total_bytes - progress.bytes) / progress.bytes_per_s;
            constexpr double minute = 60.0;
            out += left > 2 * minute ? ", " + std::to_string(static_cast<int>(left / minute)) + " min left"
                                     : ", " + std::to_string(static_cast<int>(left)) + " s left";
        }
    }
    return out;
}

int pull(const model_arguments& arguments) {
    interrupts keyboard;
    const auto reference = models::parse_reference(arguments.reference);
    if (!reference) {
        return report(reference.error());
    }
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    progress_line bar;
    auto pulling = tools->store->pull(*reference, [&bar](const models::pull_progress& progress) {
        const float share =
            progress.total_bytes == 0
                ? 0.0F
                : static_cast<float>(static_cast<double>(progress.bytes) / static_cast<double>(progress.total_bytes));
        bar.show("Fetching", share, pull_detail(progress));
    });
    const auto file = wait_for(tools->work->executor(), std::move(pulling), keyboard);
    bar.clear();
    if (!file) {
        std::fputs("starling: Stopped; what has come is kept, and the same command goes on from there.\n", stderr);
        return interrupted;
    }
    if (!*file) {
        return report(file->error());
    }
    std::printf("%s is here (%s): %s\n", (*file)->id.c_str(), size_text((*file)->size_bytes).c_str(),
                (*file)->path.c_str());
    return done;
}

int remove(const model_arguments& arguments) {
    const auto reference = models::parse_reference(arguments.reference);
    if (!reference) {
        return report(reference.error());
    }
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    if (auto removed = tools->store->remove(*reference); !removed) {
        return report(removed.error());
    }
    std::printf("%s is removed.\n", reference->text().c_str());
    return done;
}

void add_verb(CLI::App& models, action& run, const char* name, const char* help, bool takes_reference,
              int (*what)(const model_arguments&)) {
    const auto arguments = std::make_shared<model_arguments>();
    CLI::App* verb = models.add_subcommand(name, help);
    if (takes_reference) {
        verb->add_option("REF", arguments->reference,
                         "starter, hf://owner/repo/file.gguf, a path, or an id from the list")
            ->required();
    }
    add_settings(*verb, arguments->given, {"data-dir", "hub-url", "ctx", "slots", "gpu-layers"});
    verb->callback([arguments, &run, what] { run = [arguments, what] { return what(*arguments); }; });
}

}  // namespace

void add_models(CLI::App& app, action& run) {
    CLI::App* verb = app.add_subcommand("models", "model files: list, show, pull, rm, slice");
    verb->require_subcommand(1);
    verb->footer("A reference is starter, hf://owner/repo/file.gguf, a path to a .gguf file, or an id from the list.");
    add_verb(*verb, run, "list", "what is on this machine", false, list);
    add_verb(*verb, run, "show", "what a model file says of itself, and the memory it takes", true, show);
    add_verb(*verb, run, "pull", "fetch a model; goes on where an earlier attempt stopped", true, pull);
    add_verb(*verb, run, "rm", "delete a fetched model", true, remove);
    add_model_slice(*verb, run);
}

}  // namespace starling::cli

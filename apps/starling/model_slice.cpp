#include "model_slice.hpp"

#include "base/size_text.hpp"
#include "gguf/slice.hpp"
#include "interrupts.hpp"
#include "model_tools.hpp"
#include "models/content_id.hpp"
#include "models/errc.hpp"
#include "models/reference.hpp"
#include "terminal.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>

namespace starling::cli {

namespace {

struct slice_arguments {
    given_settings given;
    std::string reference;
    std::string layers;
    std::string output;
    bool force = false;
};

std::optional<gguf::layer_range> parse_layers(std::string_view text) {
    gguf::layer_range out;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, out.first);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') {
        return std::nullopt;
    }
    const auto last = std::from_chars(first.ptr + 1, end, out.end);
    return last.ec == std::errc() && last.ptr == end && out.first >= 0 && out.first < out.end ? std::optional(out)
                                                                                              : std::nullopt;
}

std::string check_layers(const std::string& text) {
    return parse_layers(text)
               ? ""
               : "'" + text + "' is not two numbers like 0:8, from the first layer to the one after the last";
}

// Whatever else happens, the model itself and what the person did not mean to lose are kept.
result<void> check_output(const slice_arguments& arguments, const std::filesystem::path& model) {
    const std::filesystem::path to = arguments.output;
    std::error_code failed;
    if (std::filesystem::equivalent(to, model, failed)) {
        return fail(models::errc::io_failed, to.string() + " is the model itself; give the slice another name");
    }
    const auto status = std::filesystem::status(to, failed);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        return fail(models::errc::io_failed, to.string() + " is not a file; give the slice another name");
    }
    if (std::filesystem::exists(status) && !arguments.force) {
        return fail(models::errc::io_failed,
                    to.string() + " is there already; give another name, or --force to replace it");
    }
    return {};
}

// The plan, with the content of the whole in it.
result<gguf::slice_plan> make_plan(const std::filesystem::path& model, gguf::layer_range layers) {
    const auto header = gguf::read_header(model);
    if (!header) {
        return header.error();
    }
    auto plan = [&]() -> result<gguf::slice_plan> {
        if (auto checked = gguf::check_model(*header); !checked) {
            return checked.error();
        }
        // Before its content is read: most mistakes are found here.
        if (auto possible = gguf::check_stage(*header, layers); !possible) {
            return possible.error();
        }
        if (const auto origin = gguf::origin_of(*header)) {
            return gguf::plan_slice(*header, layers, origin->content);
        }
        const auto content = models::content_id(model);
        return content ? gguf::plan_slice(*header, layers, *content) : content.error();
    }();
    if (!plan) {
        return error{plan.error().code, model.string() + ": " + plan.error().message};
    }
    return plan;
}

int slice(const slice_arguments& arguments) {
    interrupts keyboard;
    const auto reference = models::parse_reference(arguments.reference);
    if (!reference) {
        return report(reference.error());
    }
    auto tools = open_tools(arguments.given);
    if (!tools) {
        return report(tools.error());
    }
    const auto model = tools->store->find(*reference);
    if (!model) {
        return report(model.error());
    }
    if (const auto possible = check_output(arguments, model->path); !possible) {
        return report(possible.error());
    }
    const auto plan = make_plan(model->path, *parse_layers(arguments.layers));
    if (!plan) {
        return report(plan.error());
    }
    const auto source = gguf::open_file(model->path);
    if (!source) {
        return report(source.error());
    }
    const auto size = plan->header.file_size;
    progress_line bar;
    bool stopped = false;
    const auto written = gguf::write_slice(*plan, **source, arguments.output, [&](std::uint64_t bytes) {
        bar.show("Slicing", static_cast<float>(static_cast<double>(bytes) / static_cast<double>(size)),
                 size_text(bytes) + " of " + size_text(size));
        stopped = stopped || keyboard.take();
        return !stopped;
    });
    bar.clear();
    if (stopped) {
        std::fputs("starling: Stopped; nothing was written.\n", stderr);
        return interrupted;
    }
    if (!written) {
        return report(written.error());
    }
    const auto origin = gguf::origin_of(plan->header);
    std::printf("%s has layers %s of %d (%s).\n", arguments.output.c_str(), arguments.layers.c_str(), origin->of_layers,
                size_text(size).c_str());
    return done;
}

}  // namespace

void add_model_slice(CLI::App& models, action& run) {
    const auto arguments = std::make_shared<slice_arguments>();
    CLI::App* verb =
        models.add_subcommand("slice", "cut some layers out of a model, as a stage of a split computes them");
    verb->add_option("REF", arguments->reference, "starter, hf://owner/repo/file.gguf, a path, or an id from the list")
        ->required();
    verb->add_option("--layers", arguments->layers,
                     "A:B, from layer A to the one before B; `models show` says where to cut")
        ->required()
        ->check(CLI::Validator(check_layers, "A:B"));
    verb->add_option("-o,--output", arguments->output, "the file to write")->required();
    verb->add_flag("--force", arguments->force, "replace the file if it is there");
    add_settings(*verb, arguments->given, {"data-dir"});
    verb->callback([arguments, &run] { run = [arguments] { return slice(*arguments); }; });
}

}  // namespace starling::cli

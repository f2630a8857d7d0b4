#include "measure.hpp"

#include "chain.hpp"
#include "gguf/split_rules.hpp"
#include "grow.hpp"

#include <fcntl.h>
#include <llama.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace starling::architectures {

namespace {

constexpr unsigned time_limit_s = 300;  // the slowest model takes a few seconds on an idle machine
constexpr std::int32_t few_layers = 8;
constexpr std::int32_t most_layers = 24;

// Of the architectures with layers that predict further tokens, those of which such a small model can be made.
constexpr auto may_predict = std::to_array<std::string_view>(
    {"cohere2moe", "deepseek2", "glm-dsa", "hy_v3", "mimo2", "qwen35", "qwen35moe", "qwen3next"});

// The child tells its parent what it did in a file, so that what it did last is known when it dies.
class journal {
  public:
    explicit journal(const std::filesystem::path& path) : out_(path) {}
    void layers(std::size_t n) { out_ << "layers " << n << std::endl; }
    void at(const std::string& what) { out_ << "at " << what << std::endl; }
    void cut(std::int32_t layer) { out_ << "cut " << layer << std::endl; }
    void failure(const std::string& why) { out_ << "failure " << why << std::endl; }
    void refusal(const std::string& why) { out_ << "refusal " << why << std::endl; }
    void done() { out_ << "done" << std::endl; }

  private:
    std::ofstream out_;
};

std::string shown(const std::vector<std::int32_t>& cuts) {
    std::string out;
    for (const std::int32_t cut : cuts) {
        out += (out.empty() ? "" : ", ") + std::to_string(cut);
    }
    return out;
}

// Cuts in three, spread over the model: those that leave a stage between them that can be one.
std::vector<std::vector<std::int32_t>> pairs_of(const gguf::file_header& header,
                                                const std::vector<std::int32_t>& cuts) {
    std::vector<std::vector<std::int32_t>> all;
    for (const std::int32_t a : cuts) {
        for (const std::int32_t b : cuts) {
            if (a < b && gguf::check_stage(header, {a, b})) {
                all.push_back({a, b});
            }
        }
    }
    if (all.size() <= 3) {
        return all;
    }
    return {all.front(), all[all.size() / 2], all.back()};
}

// A few of many, the first and the last among them.
std::vector<std::int32_t> spread(const std::vector<std::int32_t>& cuts, std::size_t most) {
    if (cuts.size() <= most) {
        return cuts;
    }
    std::vector<std::int32_t> out;
    for (std::size_t i = 0; i < most; ++i) {
        out.push_back(cuts[i * (cuts.size() - 1) / (most - 1)]);
    }
    return out;
}

class child {
  public:
    child(std::filesystem::path small, const std::filesystem::path& work)
        : small_(std::move(small)), grown_(work / "grown.gguf"), journal_(work / "journal") {}

    void run() {
        const auto header = gguf::read_header(small_);
        if (!header) {
            return journal_.failure(header.error().message);
        }
        const gguf::split_rule* rule = gguf::find_split_rule(header->architecture());
        if (rule == nullptr) {
            journal_.refusal(std::string(gguf::refusal(header->architecture())));
            return journal_.done();
        }
        measure_every_cut();
        // Files of real models leave out what llama.cpp knows: its defaults must be known here too.
        const bool lists_may_miss =
            (rule->windows != gguf::window_use::none && rule->windows != gguf::window_use::listed) ||
            rule->recurrent == gguf::recurrence::between_attention;
        if (lists_may_miss) {
            measure_some_cuts({most_layers, layer_lists::left_out});
        }
        if (std::find(may_predict.begin(), may_predict.end(), rule->architecture) != may_predict.end()) {
            measure_predicting_layer();
        }
        if (rule->odd_count != 0) {
            measure_odd_count(rule->odd_count);
        }
        journal_.done();
    }

  private:
    // Models whose layers repeat need more of them to have several places.
    void measure_every_cut() {
        for (std::int32_t layers = few_layers; layers <= most_layers; layers += few_layers / 2) {
            journal_.at("growing to " + std::to_string(layers) + " layers");
            grow(small_, grown_, {layers});
            const auto header = gguf::read_header(grown_);
            const auto cuts = header ? gguf::legal_cuts(*header) : header.error();
            if (!cuts) {
                return journal_.failure(cuts.error().message);
            }
            if (cuts->size() >= 2) {
                return measure(*cuts, keep::yes);
            }
        }
        journal_.failure("there are not even two places to cut it");
    }

    void measure_some_cuts(shape wanted) {
        journal_.at("growing to " + std::to_string(wanted.layers) + " layers");
        grow(small_, grown_, wanted);
        const auto header = gguf::read_header(grown_);
        const auto cuts = header ? gguf::legal_cuts(*header) : header.error();
        if (!cuts || cuts->size() < 2) {
            return journal_.failure(cuts ? "there are not even two places to cut it" : cuts.error().message);
        }
        measure(spread(*cuts, 4), keep::no);
    }

    // Layers that predict further tokens stay with the last stage, which does not run them.
    void measure_predicting_layer() {
        journal_.at("making the last layer one that predicts");
        grow(small_, grown_, {few_layers});
        std::filesystem::path plain = grown_;
        plain += ".plain";
        std::filesystem::rename(grown_, plain);
        make_last_layer_predict(plain, grown_);
        std::filesystem::remove(plain);
        const auto header = gguf::read_header(grown_);
        const auto cuts = header ? gguf::legal_cuts(*header) : header.error();
        if (!cuts || cuts->empty()) {
            return journal_.failure(cuts ? "there is no place to cut it" : cuts.error().message);
        }
        measure(*cuts, keep::no);
    }

    // A model that llama.cpp knows by its number of layers is either refused, or cut without a difference.
    void measure_odd_count(std::int32_t layers) {
        const shape wanted{layers, layer_lists::left_out, 64};
        journal_.at("growing to " + std::to_string(layers) + " layers");
        grow(small_, grown_, wanted);
        const auto header = gguf::read_header(grown_);
        const auto cuts = header ? gguf::legal_cuts(*header) : header.error();
        if (cuts) {
            measure(spread(*cuts, 2), keep::no);
        }
    }

    enum class keep { no, yes };

    void measure(const std::vector<std::int32_t>& cuts, keep which) {
        comparison models(grown_);
        if (which == keep::yes) {
            journal_.layers(static_cast<std::size_t>(models.header().layers()));
        }
        for (const std::int32_t cut : cuts) {
            if (compare(models, {cut}) && which == keep::yes) {
                journal_.cut(cut);
            }
        }
        for (const auto& pair : pairs_of(models.header(), cuts)) {
            compare(models, pair);
        }
    }

    bool compare(comparison& models, const std::vector<std::int32_t>& cuts) {
        const std::string what =
            "cut at " + shown(cuts) + " of " + std::to_string(models.header().layers()) + " layers";
        journal_.at(what);
        const std::string difference = models.compare(cuts);
        if (!difference.empty()) {
            journal_.failure(what + ": " + difference);
        }
        return difference.empty();
    }

    const std::filesystem::path small_;
    const std::filesystem::path grown_;
    journal journal_;
};

[[noreturn]] void run_child(const std::filesystem::path& model, const std::filesystem::path& work) {
    const int errors = ::open((work / "errors").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ::dup2(errors, STDERR_FILENO);
    ::alarm(time_limit_s);
    // llama.cpp would start a debugger to say where it aborts.
    ::setenv("GGML_NO_BACKTRACE", "1", 1);
    llama_log_set(
        [](ggml_log_level level, const char* text, void*) {
            if (level == GGML_LOG_LEVEL_ERROR) {
                std::fputs(text, stderr);
            }
        },
        nullptr);
    child(model, work).run();
    std::_Exit(0);
}

std::string last_line(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string last;
    for (std::string line; std::getline(in, line);) {
        last = line.empty() ? last : line;
    }
    return last;
}

std::string where_to_cut(const gguf::split_rule& rule) {
    std::string out = rule.period > 1 ? "at multiples of " + std::to_string(rule.period) : "anywhere";
    if (rule.other == gguf::quirk::moe_step) {
        out = "at multiples of its step between layers of experts";
    }
    if (rule.windows != gguf::window_use::none) {
        out += ", with and without a sliding window in every stage";
    }
    if (rule.recurrent != gguf::recurrence::none) {
        out += ", with recurrence and attention in every stage";
    }
    if (rule.other == gguf::quirk::deepseek4 || rule.other == gguf::quirk::minimax_m3) {
        out += ", with an indexer in every stage";
    }
    if (rule.odd_count != 0 && rule.other != gguf::quirk::gemma) {
        out += "; not one of " + std::to_string(rule.odd_count) + (rule.odd_from ? " or more layers" : " layers");
    }
    return out;
}

}  // namespace

measurement::measurement(std::filesystem::path model, std::filesystem::path work)
    : model_(std::move(model)), work_(std::move(work)) {
    std::filesystem::create_directories(work_);
    process_ = ::fork();
    if (process_ == 0) {
        run_child(model_, work_);
    }
}

measurement::~measurement() {
    std::filesystem::remove_all(work_);
}

outcome measurement::finish(int status) {
    outcome out;
    const std::string name = model_.stem().string();
    out.kind = name.substr(name.rfind('-') + 1);
    out.architecture = name.substr(0, name.rfind('-'));
    if (const auto* rule = gguf::find_split_rule(out.architecture); rule != nullptr) {
        out.where = where_to_cut(*rule);
    }
    std::ifstream in(work_ / "journal");
    std::string at;
    bool done = false;
    for (std::string line; std::getline(in, line);) {
        const std::string word = line.substr(0, line.find(' '));
        const std::string rest = word.size() < line.size() ? line.substr(word.size() + 1) : "";
        if (word == "layers") {
            out.layers = std::atoi(rest.c_str());
        } else if (word == "cut") {
            out.cuts.push_back(std::atoi(rest.c_str()));
        } else if (word == "refusal") {
            out.refusal = rest;
        } else if (word == "failure") {
            out.failure = out.failure.empty() ? rest : out.failure;
        }
        at = word == "at" ? rest : at;
        done = done || word == "done";
    }
    if (out.failure.empty() && (!done || status != 0)) {
        out.failure = at + (WIFSIGNALED(status) ? ": signal " + std::to_string(WTERMSIG(status)) : ": given up") +
                      "; " + last_line(work_ / "errors");
    }
    return out;
}

}  // namespace starling::architectures

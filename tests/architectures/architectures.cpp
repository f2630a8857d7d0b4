// Measures which architectures can be split, and compares the outcome with the files of the documentation.
//   architectures --models PROGRAM --docs FOLDER --work FOLDER [--only NAME…] [--jobs N] [--write]
// PROGRAM is llama.cpp's test-llama-archs, which writes a small model of every architecture.
#include "gguf/split_rules.hpp"
#include "measure.hpp"
#include "report.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>

namespace starling::architectures {
namespace {

namespace fs = std::filesystem;

struct options {
    fs::path models;
    fs::path docs;
    fs::path work;
    std::vector<std::string> only;
    std::size_t jobs = 2;
    bool write = false;
};

// A folder that is gone at the end.
class scratch {
  public:
    explicit scratch(const fs::path& in) : path_(in / ("architectures-" + std::to_string(::getpid()))) {
        fs::create_directories(path_);
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

bool make_models(const fs::path& program, const fs::path& folder) {
    fs::create_directories(folder);
    const pid_t process = ::fork();
    if (process == 0) {
        // It tells about every model.
        ::dup2(::open((folder.parent_path() / "making").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), STDERR_FILENO);
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execl(program.c_str(), program.c_str(), "-v", "0", "-o", folder.c_str(), nullptr);
        std::_Exit(127);
    }
    int status = 0;
    return process > 0 && ::waitpid(process, &status, 0) == process && status == 0;
}

std::vector<fs::path> models_in(const fs::path& folder, const std::vector<std::string>& only) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().stem().string();
        const bool wanted = only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& one) {
                                return name.substr(0, name.rfind('-')) == one;
                            });
        if (wanted) {
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<outcome> measure_all(const std::vector<fs::path>& models, const fs::path& work, std::size_t jobs) {
    std::map<int, std::unique_ptr<measurement>> running;
    std::map<int, fs::path> files;
    std::vector<outcome> out;
    for (auto next = models.begin(); next != models.end() || !running.empty();) {
        if (next != models.end() && running.size() < jobs) {
            auto started = std::make_unique<measurement>(*next, work / next->stem());
            files[started->process()] = *next++;
            const int process = started->process();
            running[process] = std::move(started);
            continue;
        }
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, 0);
        const auto found = running.find(ended);
        if (found == running.end()) {
            continue;
        }
        out.push_back(found->second->finish(status));
        running.erase(found);
        fs::remove(files[ended]);
        if (!out.back().failure.empty()) {
            std::printf("%s (%s): %s\n", out.back().architecture.c_str(), out.back().kind.c_str(),
                        out.back().failure.c_str());
            std::fflush(stdout);
        }
    }
    std::sort(out.begin(), out.end(), [](const outcome& a, const outcome& b) {
        return std::tie(a.architecture, a.kind) < std::tie(b.architecture, b.kind);
    });
    return out;
}

// False when there is a rule for an architecture that nothing was measured of.
bool all_rules_measured(const std::vector<outcome>& outcomes) {
    bool all = true;
    for (const gguf::split_rule& rule : gguf::split_rules()) {
        if (std::none_of(outcomes.begin(), outcomes.end(),
                         [&](const outcome& o) { return o.architecture == rule.architecture; })) {
            std::printf("there is a rule for %s, but no model of it\n", std::string(rule.architecture).c_str());
            all = false;
        }
    }
    return all;
}

// False when the file had something else.
bool agrees(const fs::path& path, const std::string& text, bool write) {
    std::ifstream in(path, std::ios::binary);
    const std::string had{std::istreambuf_iterator<char>(in), {}};
    if (had == text) {
        return true;
    }
    if (write) {
        std::ofstream(path, std::ios::binary) << text;
        return true;
    }
    std::printf("%s differs from what was measured; if that is right, write it with --write\n", path.c_str());
    return false;
}

int run(const options& given) {
    const scratch work(given.work);
    if (!make_models(given.models, work.path() / "small")) {
        std::printf("%s made no models\n", given.models.c_str());
        return 1;
    }
    const auto outcomes =
        measure_all(models_in(work.path() / "small", given.only), work.path(), std::max<std::size_t>(given.jobs, 1));
    const auto supported = std::count_if(outcomes.begin(), outcomes.end(),
                                         [](const outcome& o) { return o.refusal.empty() && o.failure.empty(); });
    std::printf("%td of %zu models can be split\n", supported, outcomes.size());
    bool good = !outcomes.empty() &&
                std::all_of(outcomes.begin(), outcomes.end(), [](const outcome& o) { return o.failure.empty(); });
    if (given.only.empty()) {
        good = all_rules_measured(outcomes) && good;
        good = agrees(given.docs / "architectures.json", as_json(outcomes), given.write) && good;
        good = agrees(given.docs / "architectures.md", as_table(outcomes), given.write) && good;
    }
    return good ? 0 : 1;
}

}  // namespace
}  // namespace starling::architectures

int main(int argc, char** argv) {
    starling::architectures::options given;
    CLI::App app("Measures which architectures can be split");
    app.add_option("--models", given.models, "llama.cpp's test-llama-archs")->required();
    app.add_option("--docs", given.docs, "where architectures.json and architectures.md are")->required();
    app.add_option("--work", given.work, "a folder with room for 2 GB")->required();
    app.add_option("--only", given.only, "these architectures alone; compares with no file");
    app.add_option("--jobs", given.jobs, "processes at once");
    app.add_flag("--write", given.write, "write the files instead of comparing them");
    CLI11_PARSE(app, argc, argv);
    return starling::architectures::run(given);
}

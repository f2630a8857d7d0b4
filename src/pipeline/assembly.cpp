#include "pipeline/assembly.hpp"

#include "aio/together.hpp"
#include "aio/wake_up.hpp"

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace starling::pipeline {

namespace {

using std::chrono::steady_clock;

/// One call of assemble().
class assembler {
  public:
    assembler(boost::asio::any_io_executor network, chain_spec spec, peer_links& links, assembly_options options,
              assembly_progress progress)
        : spec_(std::move(spec)),
          links_(links),
          options_(options),
          progress_(std::move(progress)),
          deadline_(steady_clock::now() + options.limit),
          has_failed_(std::move(network)),
          stages_(spec_.remote.size()) {}

    awaitable<assembled> run() {
        auto opening = open_all();
        auto failing = until_failed();
        co_await aio::first_of(std::move(opening), std::move(failing));
        check_widths();
        assembled out{.stages = {}, .failed = std::move(failed_)};
        if (!out.failed) {
            out.stages = std::move(stages_);
        }
        co_return out;
    }

  private:
    void fail_at(std::size_t index, error why, std::optional<node_id> about = {}) {
        if (!failed_) {
            failed_ = {.node = spec_.remote[index].node, .why = std::move(why), .about = about};
            has_failed_.notify();
        }
    }

    awaitable<void> open_all() {
        std::vector<awaitable<void>> all;
        for (std::size_t i = 0; i < stages_.size(); ++i) {
            all.push_back(open_one(i));
        }
        co_await aio::all_of(std::move(all));
    }

    awaitable<void> until_failed() {
        while (!failed_) {
            co_await has_failed_.wait_until(steady_time::max());
        }
    }

    awaitable<void> open_one(std::size_t index) {
        const node_id& node = spec_.remote[index].node;
        const auto link = links_.find(node);
        if (!link) {
            fail_at(index, fail(errc::no_link, fmt::format("There is no connection to node {}….", short_name(node))));
            co_return;
        }
        auto opened = co_await link->open(next_deadline());
        if (!opened) {
            fail_at(index, fail(errc::lost, opened.error().message));
            co_return;
        }
        auto control = std::make_unique<transport::message_stream>(std::move(*opened), max_message_bytes);
        const stage_message opening(opening_of(spec_, index));
        auto sent = co_await control->send(to_json(opening), next_deadline());
        if (!sent) {
            fail_at(index, fail(errc::lost, sent.error().message));
            co_return;
        }
        stages_[index].control = std::move(control);
        bool loading = true;
        while (loading) {
            auto message = co_await stages_[index].control->receive(next_deadline());
            loading = heard(index, message);
        }
    }

    steady_time next_deadline() const { return std::min(deadline_, steady_clock::now() + options_.silence); }

    /// True while more is to be heard.
    bool heard(std::size_t index, const result<std::string>& message) {
        if (!message) {
            const bool late = message.error() == transport::errc::deadline && steady_clock::now() >= deadline_;
            fail_at(index, late ? fail(errc::stalled, "The stage was not loaded in time.")
                                : fail(errc::lost, "A stage that was loading is gone: " + message.error().message));
            return false;
        }
        auto parsed = parse_stage_message(*message);
        if (!parsed) {
            fail_at(index, parsed.error());
            return false;
        }
        if (const auto* on_the_way = std::get_if<stage_progress>(&*parsed)) {
            tell(index, on_the_way->fraction);
            return true;
        }
        if (const auto* ready = std::get_if<stage_ready>(&*parsed)) {
            take(index, *ready);
        } else if (const auto* refused = std::get_if<stage_refused>(&*parsed)) {
            fail_at(index, refused->why, refused->about);
            if (failed_ && failed_->node == spec_.remote[index].node) {
                failed_->said = *refused;
            }
        } else {
            fail_at(index, fail(errc::malformed, "A stage that was asked to load answered something else."));
        }
        return false;
    }

    void tell(std::size_t index, double fraction) {
        if (progress_) {
            progress_(index, fraction);
        }
    }

    void take(std::size_t index, const stage_ready& ready) {
        const layer_range asked = opening_of(spec_, index).layers;
        if (ready.layers != asked) {
            fail_at(index, fail(errc::wrong_shape,
                                fmt::format("The node has loaded layers {} to {} of {}, and was asked for {} to {} of "
                                            "{}.",
                                            ready.layers.first, ready.layers.end, ready.layers.of, asked.first,
                                            asked.end, asked.of)));
            return;
        }
        open_stage& stage = stages_[index];
        stage.node = spec_.remote[index].node;
        stage.layers = ready.layers;
        stage.width = ready.width;
        stage.memory_bytes = ready.memory_bytes;
        tell(index, 1.0);
    }

    void check_widths() {
        const std::int32_t expected = options_.width != 0 || stages_.empty() ? options_.width : stages_.front().width;
        for (std::size_t i = 0; i < stages_.size() && !failed_; ++i) {
            if (stages_[i].width != expected) {
                fail_at(i, fail(errc::wrong_shape, fmt::format("The node's activations are {} numbers wide, and not "
                                                               "{}.",
                                                               stages_[i].width, expected)));
            }
        }
    }

    chain_spec spec_;
    peer_links& links_;
    assembly_options options_;
    assembly_progress progress_;
    steady_time deadline_;
    aio::wake_up has_failed_;
    std::vector<open_stage> stages_;
    std::optional<stage_failure> failed_;
};

}  // namespace

stage_open opening_of(const chain_spec& spec, std::size_t index) {
    stage_open out{.deployment = spec.deployment,
                   .epoch = spec.epoch,
                   .term = spec.term,
                   .coordinator = spec.coordinator,
                   .model = spec.model,
                   .content = spec.content,
                   .stages = {},
                   .index = index,
                   .layers = {.first = spec.remote[index].first, .end = spec.remote[index].end, .of = spec.layers},
                   .context = spec.context,
                   .sequences = spec.sequences,
                   .step_tokens = spec.step_tokens,
                   .numbers = spec.numbers};
    for (const stage_place& one : spec.remote) {
        out.stages.push_back(one.node);
    }
    return out;
}

awaitable<assembled> assemble(chain_spec spec, peer_links& links, assembly_options options,
                              assembly_progress progress) {
    const auto network = co_await boost::asio::this_coro::executor;
    assembler one(network, std::move(spec), links, options, std::move(progress));
    auto running = one.run();
    auto out = co_await std::move(running);
    co_return out;
}

}  // namespace starling::pipeline

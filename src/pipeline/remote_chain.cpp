#include "pipeline/remote_chain.hpp"

#include "pipeline/chain_wiring.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace starling::pipeline {

/// The stage that the engine thread has, and the one that it is to take next. Its figures can be asked for from both
/// ends.
class last_stage_box {
  public:
    /// Network. The engine adopts it with its next step.
    void offer(std::unique_ptr<final_stage> next) {
        const std::lock_guard lock(mutex_);
        next_ = std::move(next);
    }

    /// Network: of the chain that is wired now.
    void set_shape(std::int32_t step_tokens, std::int32_t most_layers) {
        const std::lock_guard lock(mutex_);
        step_tokens_ = step_tokens;
        most_layers_ = most_layers;
    }

    /// Engine: what a step may be run on, and what was there before.
    std::unique_ptr<final_stage> adopt() {
        const std::lock_guard lock(mutex_);
        if (!next_) {
            return nullptr;
        }
        return std::exchange(current_, std::move(next_));
    }

    /// Engine.
    final_stage& current() const { return *current_; }

    void interrupt() {
        const std::lock_guard lock(mutex_);
        if (current_) {
            current_->interrupt();
        }
    }

    double ms_per_token() const {
        const std::lock_guard lock(mutex_);
        return current_ ? current_->ms_per_token() : 0.0;
    }

    std::int32_t widest() const {
        const std::lock_guard lock(mutex_);
        return step_tokens_ == 0 ? current_->widest() : std::min(step_tokens_, current_->widest());
    }

    /// Every layer has as much: the stage with most of them takes longest.
    std::uint64_t sequence_bytes() const {
        const std::lock_guard lock(mutex_);
        const auto own = static_cast<std::uint64_t>(std::max(1, current_->layers()));
        const auto most = std::max(own, static_cast<std::uint64_t>(most_layers_));
        return current_->sequence_bytes() / own * most;
    }

  private:
    mutable std::mutex mutex_;
    std::unique_ptr<final_stage> current_;  // changed by the engine, under the mutex
    std::unique_ptr<final_stage> next_;
    std::int32_t step_tokens_ = 0;
    std::int32_t most_layers_ = 0;
};

namespace {

class remote_chain final : public llama::stage_chain {
  public:
    remote_chain(std::shared_ptr<step_exchange> exchange, std::shared_ptr<last_stage_box> last)
        : exchange_(std::move(exchange)), last_(std::move(last)) {
        last_->adopt();
    }

    std::size_t depth() const override { return exchange_->depth(); }
    bool single_pass() const override { return true; }
    std::int32_t widest() const override { return last_->widest(); }
    bool usable() const override { return exchange_->usable(); }
    std::optional<error> ended() const override { return exchange_->ended(); }
    bool ready() const override { return exchange_->ready(); }
    llama::stage& last() override { return last_->current().stage(); }
    std::shared_ptr<const engine::replacement> replaced() const override { return exchange_->replaced(); }
    std::int32_t sliding_window() const override { return last_->current().sliding_window(); }
    std::uint64_t sequence_bytes() const override { return last_->sequence_bytes(); }
    void notify(std::function<void()> changed) override { exchange_->notify(std::move(changed)); }
    void interrupt() override { last_->interrupt(); }

    void submit(llama::step step) override {
        adopt_last();
        note_lengths(step);
        exchange_->submit(std::move(step));
    }

    result<void> collect() override {
        auto step = take();
        if (!step) {
            return step.error();
        }
        return last_->current().run(step->step, step->activations);
    }

    result<std::vector<float>> collect_hidden() override {
        auto step = take();
        if (!step) {
            return step.error();
        }
        // The step's edits hold for this stage as for the others.
        llama::step edits;
        edits.edits = std::move(step->step.edits);
        if (auto done = last_->current().run(edits, {}); !done) {
            return done.error();
        }
        return std::move(step->activations);
    }

    /// What the other nodes still have is known from the window: a sequence that once was longer may have lost its
    /// early positions, until it is cleared.
    llama::position lowest_position(llama::sequence_id sequence, llama::position length) const override {
        const auto found = longest_.find(sequence);
        const llama::position reached = found == longest_.end() ? length : std::max(length, found->second);
        const std::int32_t window = sliding_window();
        const llama::position remote = window > 0 ? std::max(0, reached - window + 1) : 0;
        return std::max(remote, last_->current().lowest_position(sequence));
    }

  private:
    result<returned_step> take() {
        auto step = exchange_->take();
        if (!step) {
            longest_.clear();
            adopt_last();
            if (auto cleared = last_->current().clear(); !cleared) {
                exchange_->end(cleared.error());
            }
        }
        return step;
    }

    void adopt_last() {
        auto before = last_->adopt();
        before.reset();
    }

    void note_lengths(const llama::step& step) {
        for (const auto& edit : step.edits) {
            if (const auto* cut = std::get_if<llama::truncation>(&edit); cut != nullptr && cut->from == 0) {
                longest_.erase(cut->sequence);
            } else if (const auto* copy = std::get_if<llama::prefix_copy>(&edit)) {
                longest_[copy->to] = longest_[copy->from];
            }
        }
        for (const auto& token : step.tokens) {
            auto& longest = longest_[token.sequence];
            longest = std::max(longest, token.at + 1);
        }
    }

    std::shared_ptr<step_exchange> exchange_;
    std::shared_ptr<last_stage_box> last_;
    std::map<llama::sequence_id, llama::position> longest_;
};

}  // namespace

chain_driver::chain_driver(boost::asio::any_io_executor network, data_inlets& inlets, peer_links& links,
                           chain_options options, lost_hook on_lost)
    : network_(std::move(network)),
      inlets_(inlets),
      links_(links),
      options_(options),
      on_lost_(std::move(on_lost)),
      exchange_(std::make_shared<step_exchange>()),
      last_(std::make_shared<last_stage_box>()) {}

chain_driver::~chain_driver() {
    exchange_->on_submitted({});
    exchange_->end(fail(errc::closed, "The deployment was stopped."));
}

std::unique_ptr<llama::stage_chain> chain_driver::make_chain(std::unique_ptr<final_stage> last) {
    last_->offer(std::move(last));
    return std::make_unique<remote_chain>(exchange_, last_);
}

void chain_driver::rewire(chain_spec spec, std::vector<open_stage> stages, std::unique_ptr<final_stage> last,
                          std::shared_ptr<const engine::replacement> replaced) {
    retire();
    if (last) {
        last_->offer(std::move(last));
    }
    std::int32_t most_layers = 0;
    for (const stage_place& one : spec.remote) {
        most_layers = std::max(most_layers, one.end - one.first);
    }
    last_->set_shape(spec.step_tokens, most_layers);
    const std::size_t depth = stages.size() + 1;
    wiring_ = std::make_shared<chain_wiring>(network_, std::move(spec), std::move(stages), exchange_, inlets_, links_,
                                             options_, on_lost_);
    exchange_->on_submitted([network = network_, weak = std::weak_ptr(wiring_)] {
        boost::asio::post(network, [weak] {
            if (const auto wiring = weak.lock()) {
                wiring->wake();
            }
        });
    });
    wiring_->start();
    exchange_->open(depth, std::move(replaced));
}

/// Releases what is wired, and adds up what it did.
void chain_driver::retire() {
    if (!wiring_) {
        return;
    }
    exchange_->lose(fail(errc::superseded, "The stages of this model are put together anew."));
    wiring_->cancel();
    const auto figures = wiring_->figures();
    before_.steps += figures.steps;
    before_.sent_bytes += figures.sent_bytes;
    before_.received_bytes += figures.received_bytes;
    std::erase_if(retired_, [](const auto& one) { return !one->running(); });
    retired_.push_back(std::move(wiring_));
}

void chain_driver::end(error why) {
    exchange_->end(why);
    if (wiring_) {
        wiring_->close(why.message);
    }
}

awaitable<void> chain_driver::stop() {
    end(fail(errc::closed, "The deployment was stopped."));
    if (wiring_) {
        co_await wiring_->join();
    }
    retire();
    for (const auto& one : retired_) {
        co_await one->join();
    }
    retired_.clear();
}

chain_figures chain_driver::figures() const {
    chain_figures out = wiring_ ? wiring_->figures() : chain_figures{};
    out.steps += before_.steps;
    out.sent_bytes += before_.sent_bytes;
    out.received_bytes += before_.received_bytes;
    out.own_ms_per_token = last_->ms_per_token();
    return out;
}

}  // namespace starling::pipeline

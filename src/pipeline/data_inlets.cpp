#include "pipeline/data_inlets.hpp"

#include <fmt/format.h>

namespace starling::pipeline {

data_inlets::registration::~registration() {
    if (of_ != nullptr) {
        std::erase_if(of_->waiting_, [this](const auto& one) { return one.second.serial == serial_; });
    }
}

data_inlets::registration data_inlets::expect(deployment_id deployment, std::size_t index, taker take) {
    const auto serial = next_serial_++;
    // A newer epoch of a stage takes the place of the one that is just ending.
    waiting_.insert_or_assign(std::pair(deployment, index), entry{.serial = serial, .take = std::move(take)});
    return {this, serial};
}

result<void> data_inlets::offer(const std::string& first, const node_id& from, std::unique_ptr<data_reader>& on) {
    auto parsed = parse_stage_message(first);
    if (!parsed) {
        return parsed.error();
    }
    const auto* opening = std::get_if<stage_data>(&*parsed);
    if (opening == nullptr) {
        return fail(errc::malformed, "A data stream began with something else than stage_data.");
    }
    const auto found = waiting_.find({opening->deployment, opening->index});
    if (found == waiting_.end()) {
        return fail(errc::unknown_deployment, "Nobody here waits for this data stream.");
    }
    return found->second.take(*opening, from, on);
}

awaitable<void> data_inlets::serve(transport::message_stream on, std::string first, node_id from) {
    auto reader = std::make_unique<data_reader>(std::move(on));
    const auto taken = offer(first, from, reader);
    if (taken) {
        co_return;
    }
    ++refused_;
    if (on_refused_) {
        on_refused_(from, taken.error());
    }
    stage_refused why{.why = taken.error(), .about = {}};
    co_await reader->refuse(std::move(why));
}

result<void> check_opening(const stage_data& opening, const node_id& from, epoch_number epoch,
                           const node_id& expected) {
    if (from != expected) {
        return fail(errc::wrong_node, fmt::format("Node {}… opened a data stream that is node {}…'s to open.",
                                                  short_name(from), short_name(expected)));
    }
    if (opening.epoch != epoch) {
        return fail(errc::stale_epoch, fmt::format("A data stream of epoch {} in epoch {}.", opening.epoch, epoch));
    }
    return {};
}

}  // namespace starling::pipeline

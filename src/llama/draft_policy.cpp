#include "llama/draft_policy.hpp"

#include <algorithm>

namespace starling::llama {

namespace {

// Before anything is known a draft is thought to be a fair one, so that it is tried.
constexpr double first_acceptance = 0.7;
constexpr double first_trials = 10.0;
constexpr double overall_memory = 100.0;
// A stream moves between easy and hard text; about twenty tokens tell.
constexpr double stream_trials = 4.0;
constexpr double stream_memory = 20.0;
// A link may change within a second: about twenty passes, and as many pairs of unequal ones for the slope.
constexpr double level_rate = 0.05;
constexpr double slope_memory = 0.95;
// A pass that took this much longer than expected was held up by something else.
constexpr double outlier = 4.0;
constexpr double draft_time_rate = 0.1;
constexpr double undrafted_rate = 0.25;
// Undrafted passes before the first draft, to have something to compare with.
constexpr std::int32_t first_undrafted = 4;
// Before the draft's time is known, so that a dear one does little harm.
constexpr std::int32_t first_draft = 4;
// Off and on again take a clear difference, and so does another k.
constexpr double worth_starting = 1.05;
constexpr double worth_changing = 1.02;
// The account holds this many passes, and gets this share of the time.
constexpr double account_passes = 4.0;
constexpr double account_share = 0.01;
// A probe looks whether a good draft would win; more often than this its outcome is hardly new.
constexpr double probe_acceptance = 0.9;
constexpr std::int32_t probe_interval = 32;
// While drafting, one undrafted pass now and then keeps the comparison honest, at less than this share of the gain.
constexpr double compare_share = 0.007;
constexpr std::int32_t compare_interval = 8;
constexpr std::int32_t compare_first = 2;  // and soon after the first draft, whose estimates are rough
// Answers are often shorter than they may be: a draft must not count on more tokens than these.
constexpr std::int32_t likely_answer = 64;
// A greedy target agrees with the draft more often than the draft's own probability says.
constexpr double floor_caution = 0.5;

std::size_t sequences_of(const draft_step& next) {
    return next.streams.size() + static_cast<std::size_t>(next.fillers);
}

}  // namespace

void acceptance_estimate::learn(bool accepted) {
    trials_ = std::min(trials_ + 1.0, memory_);
    value_ += ((accepted ? 1.0 : 0.0) - value_) / trials_;
}

void pass_time::learn(double width, double seconds) {
    if (!known_) {
        middle_width_ = width;
        middle_seconds_ = seconds;
    } else if (width != width_) {
        const double wider = width - width_;
        squares_ = slope_memory * squares_ + wider * wider;
        products_ = slope_memory * products_ + wider * (seconds - seconds_);
        slope_ = std::max(0.0, products_ / squares_);
    }
    middle_width_ += level_rate * (width - middle_width_);
    middle_seconds_ += level_rate * (seconds - middle_seconds_);
    width_ = width;
    seconds_ = seconds;
    known_ = true;
}

double pass_time::seconds(double width) const {
    // A slope that was measured too steep must not make narrow passes free.
    return std::max(middle_seconds_ + slope_ * (width - middle_width_), 0.1 * middle_seconds_);
}

double pass_time::seconds_at_most(double width) const {
    return std::max(seconds(width), middle_seconds_ * width / middle_width_);
}

draft_policy::draft_policy(std::int32_t most, std::int32_t slots)
    : most_(std::clamp(most, 0, max_draft_tokens)),
      overall_(first_acceptance, first_trials, overall_memory),
      goes_on_(1.0, first_trials, overall_memory),
      of_stream_(static_cast<std::size_t>(slots), acceptance_estimate(first_acceptance, stream_trials, stream_memory)) {
}

void draft_policy::begin(sequence_id sequence) {
    of_stream_.at(static_cast<std::size_t>(sequence)) =
        acceptance_estimate(overall_.value(), stream_trials, stream_memory);
}

double draft_policy::undrafted_s(std::size_t sequences) const {
    return pass_.seconds(static_cast<double>(sequences)) * undrafted_ratio_;
}

draft_policy::yield draft_policy::expect(const draft_step& next, std::int32_t k,
                                         std::optional<double> acceptance) const {
    if (k == 0) {
        return {.tokens = static_cast<double>(next.streams.size()), .seconds = undrafted_s(sequences_of(next))};
    }
    const double goes_on = acceptance ? 1.0 : goes_on_.value();
    yield out;
    double steps = 0.0;
    double drafted = 1.0;
    for (std::int32_t i = 0; i < k; ++i) {
        steps += drafted;
        drafted *= goes_on;
    }
    double width = next.fillers * (steps + drafted);
    for (const draft_stream& stream : next.streams) {
        const double a = acceptance.value_or(of_stream_.at(static_cast<std::size_t>(stream.sequence)).value());
        double reached = 1.0;
        double proposed = 1.0;
        for (std::int32_t i = 0; i <= std::min(k, stream.limit); ++i) {
            out.tokens += reached;
            width += proposed;
            reached *= a;
            proposed *= goes_on;
        }
    }
    out.seconds = pass_.seconds(width) + steps * draft_step_s_;
    return out;
}

double draft_policy::gain(const draft_step& next, std::int32_t k) const {
    const yield with = expect(next, k);
    const yield without = expect(next, 0);
    return with.tokens * without.seconds / std::max(with.seconds * without.tokens, 1e-12);
}

std::int32_t draft_policy::best(const draft_step& next, std::int32_t most, std::optional<double> acceptance) const {
    std::int32_t chosen = 0;
    double highest = 0.0;
    for (std::int32_t k = 1; k <= most; ++k) {
        const yield expected = expect(next, k, acceptance);
        const double rate = expected.tokens / std::max(expected.seconds, 1e-12);
        if (rate > highest) {
            highest = rate;
            chosen = k;
        }
    }
    return chosen;
}

draft_choice draft_policy::choose(const draft_step& next) {
    if (next.streams.empty()) {
        return {};
    }
    const auto longest = std::max_element(next.streams.begin(), next.streams.end(),
                                          [](const auto& a, const auto& b) { return a.limit < b.limit; });
    const std::int32_t narrow = max_verified_tokens / static_cast<std::int32_t>(sequences_of(next)) - 1;
    const std::int32_t affordable = draft_step_s_ > 0.0 ? most_ : first_draft;
    const std::int32_t most = std::min({most_, affordable, narrow, next.most, longest->limit});
    if (most <= 0) {
        return {};
    }
    if (const std::int32_t k = decide(next, most); k > 0) {
        return {.tokens = k, .probe = false, .floor = floor(next, k)};
    }
    if (const std::int32_t k = current_ == 0 ? probe(next, most) : 0; k > 0) {
        return {.tokens = k, .probe = true, .floor = floor(next, k)};
    }
    return {};
}

std::int32_t draft_policy::decide(const draft_step& next, std::int32_t most) {
    if (!opened_) {
        return 0;
    }
    const std::int32_t wanted = best(next, most);
    const double gained = gain(next, wanted);
    if (current_ == 0) {
        if (gained < worth_starting || overdrawn_ || !repays(next, gained)) {
            return 0;
        }
        current_ = wanted;
        compare_after_ = compare_first;
        return wanted;
    }
    if (gained < 1.0 || overdrawn_) {
        current_ = 0;
        return 0;
    }
    const double share_lost = 1.0 - 1.0 / gained;
    const auto interval = std::max(compare_interval, static_cast<std::int32_t>(share_lost / compare_share));
    if (!repays(next, gained)) {
        return 0;
    }
    if (drafted_passes_ >= std::min(interval, compare_after_)) {
        compare_after_ = std::min(2 * compare_after_, interval);
        return 0;
    }
    if (gained > worth_changing * gain(next, std::min(current_, most))) {
        current_ = wanted;
    }
    return std::min(current_, most);  // an answer that ends soon does not change what is worth proposing
}

/// A long prompt that the draft has to read first is made up for by the tokens that are likely still to come.
bool draft_policy::repays(const draft_step& next, double gained) const {
    double to_come = 0.0;
    for (const draft_stream& stream : next.streams) {
        to_come += std::min(stream.limit, likely_answer);
    }
    const double token_s = undrafted_s(sequences_of(next)) / static_cast<double>(next.streams.size());
    return to_come * token_s * (1.0 - 1.0 / std::max(gained, 1.0)) >= next.catch_up_s;
}

double draft_policy::account_full_s(std::size_t sequences) const {
    return account_passes * undrafted_s(sequences);
}

/// 0 when it cannot be paid for.
std::int32_t draft_policy::probe(const draft_step& next, std::int32_t most) const {
    if (!opened_ || overdrawn_ || undrafted_passes_ < probe_interval) {
        return 0;
    }
    const std::size_t sequences = sequences_of(next);
    const auto cost = [&](std::int32_t k) {
        return expect(next, k).seconds + next.catch_up_s - undrafted_s(sequences);
    };
    std::int32_t k = best(next, most, probe_acceptance);
    while (k > 1 && cost(k) > account_full_s(sequences) / 2) {
        --k;
    }
    return cost(k) <= account_s_ ? k : 0;
}

/// One more proposed token of every stream is worth its time while it is likely enough to be accepted.
double draft_policy::floor(const draft_step& next, std::int32_t k) const {
    const yield expected = expect(next, k);
    const double token_s = expected.seconds / expected.tokens;
    const double cost_s = draft_step_s_ / static_cast<double>(next.streams.size()) + pass_.per_token();
    return std::clamp(floor_caution * cost_s / std::max(token_s, 1e-12), 0.0, 0.5);
}

void draft_policy::learn(const draft_report& report) {
    if (report.streams.empty() || report.pass_s <= 0.0) {
        return;
    }
    const auto drafted = std::any_of(report.streams.begin(), report.streams.end(),
                                     [](const draft_outcome& stream) { return stream.proposed > 0 || stream.stopped; });
    const auto width = static_cast<double>(report.width);
    const double pass_s =
        pass_.known() ? std::min(report.pass_s, outlier * pass_.seconds_at_most(width)) : report.pass_s;
    pass_.learn(width, pass_s);
    learn_acceptance(report.streams);
    if (drafted) {
        undrafted_passes_ = 0;
        ++drafted_passes_;
        if (report.draft_steps > 0) {
            const double step_s = report.draft_s / report.draft_steps;
            draft_step_s_ =
                draft_step_s_ == 0.0
                    ? step_s
                    : draft_step_s_ + draft_time_rate * (std::min(step_s, outlier * draft_step_s_) - draft_step_s_);
        }
    } else {
        const double ratio = pass_s / std::max(pass_.seconds(width), 1e-12);
        undrafted_ratio_ += undrafted_rate * (ratio - undrafted_ratio_);
        drafted_passes_ = 0;
        ++undrafted_passes_;
    }
    settle(report, pass_s, drafted);
}

void draft_policy::learn_acceptance(std::span<const draft_outcome> streams) {
    for (const draft_outcome& stream : streams) {
        acceptance_estimate& own = of_stream_.at(static_cast<std::size_t>(stream.sequence));
        for (std::int32_t i = 0; i < stream.accepted; ++i) {
            own.learn(true);
            overall_.learn(true);
        }
        // A draft that gave up counts like one that was wrong: it is the end of what a pass yields.
        if (stream.accepted < stream.proposed || stream.stopped) {
            own.learn(false);
            overall_.learn(false);
        }
    }
    const auto longest = std::max_element(streams.begin(), streams.end(),
                                          [](const auto& a, const auto& b) { return a.proposed < b.proposed; });
    for (std::int32_t i = 0; i < longest->proposed; ++i) {
        goes_on_.learn(true);
    }
    if (longest->stopped) {
        goes_on_.learn(false);
    }
}

void draft_policy::settle(const draft_report& report, double pass_s, bool drafted) {
    const std::size_t streams = report.streams.size();
    const std::size_t sequences = streams + static_cast<std::size_t>(report.fillers);
    const double full_s = account_full_s(sequences);
    double passed_s = pass_s;
    if (drafted) {
        double emitted = 0.0;
        for (const draft_outcome& stream : report.streams) {
            emitted += 1.0 + stream.accepted;
        }
        // What a draft reads that is wanted is weighed by repays(); a try has to be paid for.
        passed_s += report.draft_s + (report.probe ? report.catch_up_s : 0.0);
        account_s_ -= passed_s - undrafted_s(sequences) * emitted / static_cast<double>(streams);
    }
    account_s_ = std::min(account_s_ + account_share * passed_s, full_s);
    if (!opened_ && undrafted_passes_ >= first_undrafted) {
        opened_ = true;
        account_s_ = full_s;
    }
    overdrawn_ = overdrawn_ ? account_s_ < full_s / 2 : account_s_ < 0.0;
}

}  // namespace starling::llama

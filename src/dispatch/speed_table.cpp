#include "dispatch/speed_table.hpp"

namespace starling::dispatch {

namespace {

void average(double& into, double newest) {
    into = into > 0.0 ? into + weight_of_newest * (newest - into) : newest;
}

}  // namespace

void speed_table::learn(const node_and_model& of, const speed_sample& sample) {
    const bool prefill = sample.prefill_tokens >= least_prefill && sample.prefill_ms > 0.0;
    const bool decode = sample.decode_tokens >= least_decode && sample.decode_ms > 0.0;
    if (!prefill && !decode) {
        return;
    }
    speeds& known = measured_[of];
    if (prefill) {
        average(known.prefill, 1'000.0 * sample.prefill_tokens / sample.prefill_ms);
    }
    if (decode) {
        // The first token is prefill's: the time of decoding is that between the tokens.
        const double seen = 1'000.0 * (sample.decode_tokens - 1) / sample.decode_ms;
        average(known.decode, seen * (1.0 + route::slower_for_each * sample.beside));
    }
}

void speed_table::apply(const node_and_model& of, route::worker_view& view) {
    const speeds* known = measured_.find(of);
    if (known == nullptr) {
        return;
    }
    if (known->prefill > 0.0) {
        view.prefill_tokens_per_s = known->prefill;
    }
    if (known->decode > 0.0) {
        view.decode_tokens_per_s = known->decode;
    }
}

}  // namespace starling::dispatch

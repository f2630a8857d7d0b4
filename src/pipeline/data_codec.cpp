#include "pipeline/data_codec.hpp"

#include "pipeline/half.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace starling::pipeline {

namespace {

constexpr std::size_t time_bytes = 4;
constexpr std::size_t edit_bytes = 16;
constexpr std::size_t token_bytes = 12;
constexpr std::uint32_t wants_output = 1U << 31U;
constexpr std::uint32_t truncation_kind = 1;
constexpr std::uint32_t prefix_copy_kind = 2;

struct header {
    std::uint8_t version = frame_version;
    std::uint8_t kind = 0;
    std::uint8_t numbers = 0;
    std::uint8_t flags = 0;
    std::uint64_t deployment = 0;
    std::uint32_t epoch = 0;
    std::uint64_t step = 0;
    std::uint16_t edits = 0;
    std::uint16_t times = 0;
    std::uint32_t tokens = 0;
    std::uint32_t width = 0;
    std::uint32_t spare = 0;
};

class reader {
  public:
    explicit reader(const std::uint8_t* from) : at_(from) {}

    template <class T>
    void take(T& into) {
        std::memcpy(&into, at_, sizeof(T));
        at_ += sizeof(T);
    }
    template <class T>
    T take() {
        T out{};
        take(out);
        return out;
    }
    const std::uint8_t* at() const { return at_; }

  private:
    const std::uint8_t* at_;
};

class writer {
  public:
    explicit writer(std::uint8_t* to) : at_(to) {}

    template <class T>
    void put(T value) {
        static_assert(std::is_arithmetic_v<T>);
        std::memcpy(at_, &value, sizeof(T));
        at_ += sizeof(T);
    }
    std::uint8_t* at() const { return at_; }

  private:
    std::uint8_t* at_;
};

/// The same list of fields, in the same order, reads and writes the header.
template <class F>
void each_field(header& h, F field) {
    field(h.version);
    field(h.kind);
    field(h.numbers);
    field(h.flags);
    field(h.deployment);
    field(h.epoch);
    field(h.step);
    field(h.edits);
    field(h.times);
    field(h.tokens);
    field(h.width);
    field(h.spare);
}

std::size_t number_bytes(number_type numbers) {
    return numbers == number_type::f16 ? 2 : 4;
}

std::size_t expected_width(const data_limits& limits) {
    return limits.kind == frame_kind::tokens ? 0 : static_cast<std::size_t>(limits.width);
}

/// Without its length. The counts are bounded by 32 bits each, the width by max_width: no overflow in 64 bits.
std::size_t frame_bytes(std::size_t times, std::size_t edits, std::size_t tokens, std::size_t width,
                        number_type numbers) {
    return frame_header_bytes + times * time_bytes + edits * edit_bytes + tokens * token_bytes +
           tokens * width * number_bytes(numbers);
}

result<void> check_identity(const header& h, const data_limits& limits, step_number next) {
    if (h.deployment != limits.deployment) {
        return fail(errc::unknown_deployment, "A frame of another deployment came on this stream.");
    }
    if (h.epoch < limits.epoch) {
        return fail(errc::stale_epoch, fmt::format("A frame of epoch {} came in epoch {}.", h.epoch, limits.epoch));
    }
    if (h.epoch > limits.epoch) {
        return fail(errc::malformed,
                    fmt::format("A frame of epoch {} came on a stream of epoch {}.", h.epoch, limits.epoch));
    }
    if (h.step < next) {
        return fail(errc::duplicate_step, fmt::format("Step {} came again; {} was next.", h.step, next));
    }
    if (h.step > next) {
        return fail(errc::gap, fmt::format("Step {} came where {} was next.", h.step, next));
    }
    return {};
}

result<void> check_shape(const header& h, const data_limits& limits, std::size_t size) {
    if (h.tokens > static_cast<std::uint32_t>(limits.step_tokens)) {
        return fail(errc::too_large,
                    fmt::format("A step of {} tokens; at most {} were agreed on.", h.tokens, limits.step_tokens));
    }
    if (h.edits > max_step_edits) {
        return fail(errc::too_large,
                    fmt::format("A step with {} edits; there are at most {}.", h.edits, max_step_edits));
    }
    if (h.kind != static_cast<std::uint8_t>(limits.kind)) {
        return fail(errc::wrong_shape, limits.kind == frame_kind::tokens
                                           ? "Activations came for the first stage, which takes tokens."
                                           : "Tokens came for a stage that takes activations.");
    }
    if (h.numbers != static_cast<std::uint8_t>(limits.numbers)) {
        return fail(errc::wrong_shape, "Activations of another number type than was agreed on.");
    }
    if (h.width != expected_width(limits)) {
        return fail(errc::wrong_shape,
                    fmt::format("Activations {} numbers wide; {} were agreed on.", h.width, expected_width(limits)));
    }
    if (h.times != limits.stages_before) {
        return fail(errc::wrong_shape, fmt::format("A step that says it has been through {} stages, where {} come "
                                                   "before.",
                                                   h.times, limits.stages_before));
    }
    const std::size_t expected = frame_bytes(h.times, h.edits, h.tokens, h.width, limits.numbers);
    if (size != expected) {
        return fail(errc::wrong_shape, fmt::format("A frame of {} bytes whose header stands for {}.", size, expected));
    }
    return {};
}

error no_such_place(std::int64_t sequence, std::int64_t position, const data_limits& limits) {
    return fail(errc::out_of_range, fmt::format("Sequence {}, position {}: there are {} sequences of {} positions.",
                                                sequence, position, limits.sequences, limits.context));
}

result<llama::cache_edit> read_edit(reader& from, const data_limits& limits) {
    const auto kind = from.take<std::uint32_t>();
    const auto a = from.take<std::int32_t>();
    const auto b = from.take<std::int32_t>();
    const auto c = from.take<std::int32_t>();
    const auto known = [&](std::int32_t sequence) { return sequence >= 0 && sequence < limits.sequences; };
    if (kind == truncation_kind && c == 0) {
        if (!known(a) || b < 0 || b > limits.context) {
            return no_such_place(a, b, limits);
        }
        return llama::cache_edit(llama::truncation{.sequence = a, .from = b});
    }
    if (kind == prefix_copy_kind) {
        if (!known(a) || !known(b) || a == b || c < 0 || c > limits.context) {
            return no_such_place(known(a) ? b : a, c, limits);
        }
        return llama::cache_edit(llama::prefix_copy{.from = a, .to = b, .length = c});
    }
    return fail(errc::malformed, "A step has an edit of a kind that is not known.");
}

result<llama::step_token> read_token(reader& from, const llama::step_token* before, const data_limits& limits) {
    llama::step_token out;
    from.take(out.token);
    from.take(out.at);
    const auto place = from.take<std::uint32_t>();
    out.output = (place & wants_output) != 0;
    const std::uint32_t sequence = place & ~wants_output;
    if (sequence >= static_cast<std::uint32_t>(limits.sequences) || out.at < 0 || out.at >= limits.context) {
        return no_such_place(sequence, out.at, limits);
    }
    out.sequence = static_cast<llama::sequence_id>(sequence);
    if (out.token < 0) {
        return fail(errc::out_of_range, fmt::format("There is no token {}.", out.token));
    }
    if (before != nullptr &&
        (out.sequence < before->sequence || (out.sequence == before->sequence && out.at <= before->at))) {
        return fail(errc::out_of_range, "The tokens of a step are not in order.");
    }
    return out;
}

result<void> read_activations(reader& from, const data_limits& limits, std::size_t count, std::vector<float>* out) {
    out->resize(count);
    if (limits.numbers == number_type::f16) {
        from_half(from.at(), *out);
    } else if (count != 0) {
        std::memcpy(out->data(), from.at(), count * sizeof(float));
    }
    if (!all_finite(*out)) {
        return fail(errc::not_finite, "Activations that are no finite numbers came from the stage before.");
    }
    return {};
}

void write_edit(const llama::cache_edit& edit, writer& to) {
    if (const auto* cut = std::get_if<llama::truncation>(&edit)) {
        to.put(truncation_kind);
        to.put(cut->sequence);
        to.put(cut->from);
        to.put(std::int32_t{0});
        return;
    }
    const auto& copy = std::get<llama::prefix_copy>(edit);
    to.put(prefix_copy_kind);
    to.put(copy.from);
    to.put(copy.to);
    to.put(copy.length);
}

/// What a receiver would refuse is an error here, where it can still be said what is wrong.
result<void> check_outgoing(const data_frame& from, const data_limits& limits) {
    const std::size_t tokens = from.step.tokens.size();
    if (tokens > static_cast<std::size_t>(limits.step_tokens) || from.step.edits.size() > max_step_edits) {
        return fail(errc::too_large,
                    fmt::format("A step of {} tokens and {} edits is too large.", tokens, from.step.edits.size()));
    }
    if (from.activations.size() != tokens * expected_width(limits) || from.computed_us.size() != limits.stages_before) {
        return fail(errc::wrong_shape, fmt::format("{} activations of {} tokens from {} stages do not make a frame.",
                                                   from.activations.size(), tokens, from.computed_us.size()));
    }
    if (!all_finite(from.activations)) {
        return fail(errc::not_finite, "The layers of this stage gave activations that are no finite numbers.");
    }
    if (limits.numbers == number_type::f16) {
        if (const float most = largest(from.activations); most >= first_too_large_for_half) {
            return fail(errc::does_not_fit, fmt::format("An activation of {:.0f} is too large for f16 (65504 at most); "
                                                        "split this model with f32 activations.",
                                                        most));
        }
    }
    return {};
}

}  // namespace

std::size_t max_frame_bytes(const data_limits& limits) {
    const std::size_t agreed =
        frame_bytes(limits.stages_before, max_step_edits, static_cast<std::size_t>(limits.step_tokens),
                    expected_width(limits), limits.numbers);
    return std::min(agreed, largest_frame_bytes);
}

result<std::size_t> read_frame_length(std::span<const std::uint8_t, frame_length_bytes> from,
                                      const data_limits& limits) {
    std::size_t size = 0;
    for (const std::uint8_t byte : from) {
        size = size << 8U | byte;
    }
    if (size > max_frame_bytes(limits)) {
        return fail(errc::too_large, fmt::format("A frame of {} bytes was announced; at most {} were agreed on.", size,
                                                 max_frame_bytes(limits)));
    }
    if (size < frame_header_bytes) {
        return fail(errc::malformed, fmt::format("A frame of {} bytes was announced, too few for one.", size));
    }
    return size;
}

result<data_frame> decode(std::span<const std::uint8_t> from, const data_limits& limits, step_number next) {
    if (from.size() < frame_header_bytes) {
        return fail(errc::malformed, "A frame is too short for its header.");
    }
    header h;
    reader at(from.data());
    each_field(h, [&](auto& field) { at.take(field); });
    if (h.version != frame_version) {
        return fail(errc::unsupported,
                    fmt::format("A frame of version {}; {} is known here.", h.version, frame_version));
    }
    if (h.flags != 0 || h.spare != 0) {
        return fail(errc::unsupported, "A frame with flags that are not known here.");
    }
    if (auto right = check_identity(h, limits, next); !right) {
        return right.error();
    }
    if (auto right = check_shape(h, limits, from.size()); !right) {
        return right.error();
    }
    data_frame out;
    out.number = h.step;
    out.computed_us.resize(h.times);
    for (std::uint32_t& time : out.computed_us) {
        at.take(time);
    }
    out.step.edits.reserve(h.edits);
    for (std::size_t i = 0; i < h.edits; ++i) {
        auto edit = read_edit(at, limits);
        if (!edit) {
            return edit.error();
        }
        out.step.edits.push_back(*edit);
    }
    out.step.tokens.reserve(h.tokens);
    for (std::size_t i = 0; i < h.tokens; ++i) {
        auto token = read_token(at, i == 0 ? nullptr : &out.step.tokens.back(), limits);
        if (!token) {
            return token.error();
        }
        out.step.tokens.push_back(*token);
    }
    if (auto read = read_activations(at, limits, std::size_t{h.tokens} * h.width, &out.activations); !read) {
        return read.error();
    }
    return out;
}

result<void> encode(const data_frame& from, const data_limits& limits, bytes* out) {
    if (auto right = check_outgoing(from, limits); !right) {
        return right.error();
    }
    header h{.kind = static_cast<std::uint8_t>(limits.kind),
             .numbers = static_cast<std::uint8_t>(limits.numbers),
             .deployment = limits.deployment,
             .epoch = limits.epoch,
             .step = from.number,
             .edits = static_cast<std::uint16_t>(from.step.edits.size()),
             .times = static_cast<std::uint16_t>(from.computed_us.size()),
             .tokens = static_cast<std::uint32_t>(from.step.tokens.size()),
             .width = static_cast<std::uint32_t>(expected_width(limits))};
    const std::size_t size = frame_bytes(h.times, h.edits, h.tokens, h.width, limits.numbers);
    if (size > largest_frame_bytes) {
        return fail(errc::too_large, fmt::format("A frame of {} bytes is too large.", size));
    }
    out->resize(frame_length_bytes + size);
    writer to(out->data());
    for (int shift = 24; shift >= 0; shift -= 8) {
        to.put(static_cast<std::uint8_t>(size >> static_cast<unsigned>(shift)));
    }
    each_field(h, [&](auto& field) { to.put(field); });
    for (const std::uint32_t time : from.computed_us) {
        to.put(time);
    }
    for (const auto& edit : from.step.edits) {
        write_edit(edit, to);
    }
    for (const auto& token : from.step.tokens) {
        to.put(token.token);
        to.put(token.at);
        to.put(static_cast<std::uint32_t>(token.sequence) | (token.output ? wants_output : 0U));
    }
    if (limits.numbers == number_type::f16) {
        to_half(from.activations, to.at());
    } else if (!from.activations.empty()) {
        std::memcpy(to.at(), from.activations.data(), from.activations.size() * sizeof(float));
    }
    return {};
}

bool same_step(const llama::step& a, const llama::step& b) {
    const auto same_token = [](const llama::step_token& x, const llama::step_token& y) {
        return x.token == y.token && x.at == y.at && x.sequence == y.sequence && x.output == y.output;
    };
    const auto same_edit = [](const llama::cache_edit& x, const llama::cache_edit& y) {
        if (x.index() != y.index()) {
            return false;
        }
        if (const auto* cut = std::get_if<llama::truncation>(&x)) {
            const auto& other = std::get<llama::truncation>(y);
            return cut->sequence == other.sequence && cut->from == other.from;
        }
        const auto& copy = std::get<llama::prefix_copy>(x);
        const auto& other = std::get<llama::prefix_copy>(y);
        return copy.from == other.from && copy.to == other.to && copy.length == other.length;
    };
    return std::equal(a.edits.begin(), a.edits.end(), b.edits.begin(), b.edits.end(), same_edit) &&
           std::equal(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end(), same_token);
}

}  // namespace starling::pipeline

#include "llama/answer.hpp"

#include <utility>

namespace starling::llama {

namespace {

std::vector<std::string> joined(std::vector<std::string> stop, const std::vector<std::string>& more) {
    stop.insert(stop.end(), more.begin(), more.end());
    return stop;
}

}  // namespace

answer::answer(std::shared_ptr<const model> model, answer_format format, std::vector<std::string> stop,
               std::string call_seed)
    : model_(std::move(model)),
      format_(std::move(format)),
      gate_(joined(std::move(stop), format_.stop)),
      parser_(format_, std::move(call_seed)) {}

bool answer::push(engine::token_id token, engine::chunk& out) {
    const bool special = format_.visible_special.contains(token);
    const std::string text = gate_.push(model_->piece(token, special));
    if (!text.empty()) {
        parser_.push(text, out);
    }
    return !gate_.stopped();
}

void answer::finish(engine::chunk& out) {
    parser_.push(gate_.flush(), out);
    parser_.finish(out);
}

}  // namespace starling::llama

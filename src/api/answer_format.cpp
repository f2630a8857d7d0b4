#include "api/answer_format.hpp"

#include <utility>

namespace starling::api {

namespace {

class chat_format final : public answer_format {
  public:
    chat_format(openai::answer_identity identity, openai::stream_options options, bool logprobs)
        : identity_(std::move(identity)), chunks_(identity_, options, logprobs), logprobs_(logprobs) {}

    void open(std::string& out, std::size_t choice) override { chunks_.open(out, choice); }
    void add(std::string& out, std::size_t choice, const engine::chunk& chunk) override {
        chunks_.add(out, choice, chunk);
    }
    void close(std::string& out, std::size_t choice, engine::finish_reason reason) override {
        chunks_.close(out, choice, reason);
    }
    void moved(std::string& out, std::size_t choice, const openai::move_notice& what) override {
        chunks_.moved(out, choice, what);
    }
    void usage(std::string& out, const engine::token_usage& usage) override { chunks_.usage(out, usage); }
    std::string whole(std::vector<openai::choice_answer> choices, const engine::token_usage& usage) override {
        return openai::chat_answer(identity_, choices, usage, logprobs_);
    }

  private:
    openai::answer_identity identity_;
    openai::chat_chunks chunks_;
    bool logprobs_;
};

class completion_format final : public answer_format {
  public:
    completion_format(openai::answer_identity identity, openai::stream_options options, bool logprobs,
                      std::size_t choices, std::vector<std::string> echoes)
        : identity_(std::move(identity)),
          chunks_(identity_, options, logprobs, choices),
          logprobs_(logprobs),
          echoes_(std::move(echoes)) {}

    void open(std::string& out, std::size_t choice) override {
        if (!echoes_.empty()) {
            chunks_.echo(out, choice, echoes_.at(choice));
        }
    }
    void add(std::string& out, std::size_t choice, const engine::chunk& chunk) override {
        chunks_.add(out, choice, chunk);
    }
    void close(std::string& out, std::size_t choice, engine::finish_reason reason) override {
        chunks_.close(out, choice, reason);
    }
    void moved(std::string&, std::size_t, const openai::move_notice&) override {}  // is told in chats alone
    void usage(std::string& out, const engine::token_usage& usage) override { chunks_.usage(out, usage); }
    std::string whole(std::vector<openai::choice_answer> choices, const engine::token_usage& usage) override {
        for (std::size_t i = 0; i < echoes_.size(); ++i) {
            choices.at(i).content.insert(0, echoes_[i]);
        }
        return openai::completion_answer(identity_, choices, usage, logprobs_);
    }

  private:
    openai::answer_identity identity_;
    openai::completion_chunks chunks_;
    bool logprobs_;
    std::vector<std::string> echoes_;
};

}  // namespace

std::unique_ptr<answer_format> make_chat_format(openai::answer_identity identity, openai::stream_options options,
                                                bool logprobs) {
    return std::make_unique<chat_format>(std::move(identity), options, logprobs);
}

std::unique_ptr<answer_format> make_completion_format(openai::answer_identity identity, openai::stream_options options,
                                                      bool logprobs, std::size_t choices,
                                                      std::vector<std::string> echoes) {
    return std::make_unique<completion_format>(std::move(identity), options, logprobs, choices, std::move(echoes));
}

}  // namespace starling::api

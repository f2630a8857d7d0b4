#include <starling/client.hpp>

#include "sdk/chat_stream.hpp"
#include "sdk/connection.hpp"
#include "sdk/failures.hpp"
#include "sdk/reply_codec.hpp"

#include <utility>

namespace starling::sdk {

client::client(std::shared_ptr<connection> to) : to_(std::move(to)) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

outcome<client> client::connect(const connect_options& options) {
    auto opened = connection::open(options);
    if (!opened) {
        return opened.error();
    }
    return client(std::move(*opened));
}

const node_info& client::node() const {
    return to_->node();
}

outcome<std::vector<model>> client::models() const {
    const steady_time deadline = deadline_in(to_->timeout());
    const auto list = to_->get("/v1/models", deadline);
    if (!list) {
        return list.error();
    }
    const auto status = to_->get("/api/status", deadline);
    if (!status) {
        return status.error();
    }
    auto models = parse_models(*list, *status);
    if (!models) {
        return no_starling_node(to_->words());
    }
    return std::move(*models);
}

outcome<answer> client::chat(chat_request request, std::stop_token stop) const {
    return chat(std::move(request), nullptr, std::move(stop));
}

outcome<answer> client::chat(chat_request request, const std::function<bool(const delta&)>& on_delta,
                             std::stop_token stop) const {
    auto answering = stream(std::move(request), std::move(stop));
    if (!answering) {
        return answering.error();
    }
    while (const auto piece = answering->next()) {
        if (on_delta && !on_delta(*piece)) {
            answering->impl_->cancel();
        }
    }
    return answering->result();
}

outcome<chat_stream> client::stream(chat_request request, std::stop_token stop) const {
    auto parts = std::make_unique<chat_stream::impl>(to_, std::move(stop));
    if (auto refusal = parts->open(std::move(request))) {
        return *refusal;
    }
    return chat_stream(std::move(parts));
}

}  // namespace starling::sdk

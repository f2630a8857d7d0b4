#include "node_api.hpp"

#include "json_fields.hpp"
#include "node/errc.hpp"
#include "node/key_file.hpp"
#include "node/running_node.hpp"
#include "terminal.hpp"
#include "wait.hpp"

#include <chrono>
#include <utility>

namespace starling::cli {

namespace {

namespace json = boost::json;

/// A mesh of a thousand nodes, a few hundred bytes for each of their models.
constexpr std::size_t max_answer_bytes = std::size_t{4} * 1024 * 1024;

struct answer {
    int status = 0;
    std::string body;
};

boost::asio::awaitable<result<answer>> exchange(fetch::client* http, fetch::request question, std::string url) {
    auto response = co_await http->open(std::move(question));
    if (!response) {
        co_return fail(node::errc::remote, "The node at " + url + " does not answer: " + response.error().message);
    }
    answer out;
    out.status = (*response)->head().status;
    auto body = co_await fetch::read_all(**response, max_answer_bytes);
    if (!body) {
        co_return fail(node::errc::remote, "The answer of the node at " + url + " was cut: " + body.error().message);
    }
    out.body = std::move(*body);
    co_return out;
}

/// The node's own words where it has any; they can carry what other nodes call themselves.
error refusal(const answer& from, const json::value& parsed, const std::string& url, std::string_view without_key) {
    if (from.status == 401) {
        return fail(node::errc::remote, "The node at " + url + std::string(without_key));
    }
    const json::object* object = parsed.if_object();
    const std::string why =
        object == nullptr ? std::string{} : printable_line(text_of(object_of(*object, "error"), "message"));
    return fail(
        node::errc::remote,
        why.empty() ? "The node at " + url + " answered with status " + std::to_string(from.status) + "." : why);
}

/// An address as people copy it: with a slash at its end, or as OpenAI clients want it.
std::string without_tail(std::string url) {
    const auto drop_slashes = [&url] {
        while (url.ends_with('/')) {
            url.pop_back();
        }
    };
    drop_slashes();
    if (url.ends_with("/v1")) {
        url.resize(url.size() - std::string_view("/v1").size());
        drop_slashes();
    }
    return url;
}

}  // namespace

node_api::node_api(target found, std::unique_ptr<background> work, interrupts& keyboard)
    : target_(std::move(found)), work_(std::move(work)), keyboard_(&keyboard) {}

result<node_api::target> node_api::find(const settings::config& settings, const std::string& url) {
    target out;
    std::filesystem::path key_file = settings.api_key_file;
    if (!url.empty()) {
        out.url = without_tail(url);
    } else {
        auto running = node::find_running(settings.data_dir);
        if (!running) {
            return fail(node::errc::remote,
                        "No node is running on " + settings.data_dir.string() + "; start one with: starling serve");
        }
        out.url = std::move(running->api_url);
        out.node_id = std::move(running->node_id);
        out.control_token = std::move(running->control_token);
        if (key_file.empty()) {
            key_file = running->api_key_file;
        }
    }
    if (!key_file.empty()) {
        auto keys = node::read_keys(key_file);
        if (!keys) {
            return keys.error();
        }
        out.api_key = std::move(keys->front());
    }
    return out;
}

result<node_api> node_api::open(const settings::config& settings, const std::string& url, interrupts& keyboard) {
    auto found = find(settings, url);
    if (!found) {
        return found.error();
    }
    auto work = background::create();
    if (!work) {
        return work.error();
    }
    return node_api(std::move(*found), std::move(*work), keyboard);
}

result<json::value> node_api::ask(fetch::request question, std::string_view without_key) {
    question.idle_timeout = patience_;
    auto asking = exchange(&work_->http(), std::move(question), target_.url);
    auto got = wait_for(work_->executor(), std::move(asking), *keyboard_);
    if (!got) {
        return fail(node::errc::stopped, "Stopped.");
    }
    if (!*got) {
        return got->error();
    }
    boost::system::error_code wrong;
    json::value parsed = json::parse((*got)->body, wrong);
    if ((*got)->status != 200) {
        return refusal(**got, wrong ? json::value() : parsed, target_.url, without_key);
    }
    if (wrong) {
        return fail(node::errc::remote, "What answers at " + target_.url + " is not a Starling node.");
    }
    return parsed;
}

result<json::value> node_api::get(std::string_view path) {
    fetch::request question;
    question.url = target_.url + std::string(path);
    if (!target_.api_key.empty()) {
        question.headers.emplace_back("Authorization", "Bearer " + target_.api_key);
    }
    return ask(std::move(question), " asks for an API key; add --api-key-file FILE.");
}

result<fetch::request> node_api::question_of_owner(std::string_view path) const {
    if (target_.control_token.empty()) {
        return fail(node::errc::remote, "The node at " + target_.url +
                                            " gives nobody a say in its mesh; it is of another version. Restart it "
                                            "with this one: starling serve");
    }
    fetch::request question;
    question.url = target_.url + std::string(path);
    question.headers = {{"Authorization", "Bearer " + target_.control_token}};
    question.follow_redirects = false;  // the token is for this node alone
    return question;
}

result<json::value> node_api::ask_as_owner(fetch::request question) {
    return ask(std::move(question),
               " does not know the token in its node.json; it has just been restarted: try again.");
}

result<json::value> node_api::get_as_owner(std::string_view path) {
    auto question = question_of_owner(path);
    if (!question) {
        return question.error();
    }
    return ask_as_owner(std::move(*question));
}

result<json::value> node_api::post_as_owner(std::string_view path, const json::object& body) {
    auto question = question_of_owner(path);
    if (!question) {
        return question.error();
    }
    question->method = "POST";
    question->headers.emplace_back("Content-Type", "application/json");
    question->body = json::serialize(body);
    return ask_as_owner(std::move(*question));
}

int with_node(const given_settings& given, const std::function<result<void>(node_api&)>& what) {
    interrupts keyboard;  // before any thread
    auto settings = load_config(given);
    if (!settings) {
        return report(settings.error());
    }
    auto api = node_api::open(*settings, {}, keyboard);
    if (!api) {
        return report(api.error());
    }
    const auto outcome = what(*api);
    return outcome ? done : report(outcome.error());
}

}  // namespace starling::cli

#include "node/sharing.hpp"

#include "node/private_file.hpp"
#include "wire/json_access.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json.hpp>

#include <utility>

namespace starling::node {

namespace json = boost::json;

namespace {

constexpr std::size_t max_file_bytes = 4'096;  // four values
constexpr const char* everywhere = "0.0.0.0";  // not "::", which no node on IPv4 alone can be asked to use
constexpr std::string_view by_invite = "invite";
constexpr std::string_view by_invite_or_ask = "invite_or_ask";

/// False when the member is there and of another kind.
bool read_flag(const json::value& from, std::string_view name, std::optional<bool>& into) {
    const json::value* found = wire::member(from, name);
    if (found == nullptr) {
        return true;
    }
    if (const bool* flag = found->if_bool()) {
        into = *flag;
    }
    return into.has_value();
}

bool read_memory(const json::value& from, std::optional<std::uint64_t>& into) {
    const json::value* found = wire::member(from, "memory_bytes");
    if (found == nullptr) {
        return true;
    }
    boost::system::error_code wrong;
    const auto bytes = found->to_number<std::uint64_t>(wrong);
    if (wrong || bytes < least_lent_bytes) {
        return false;
    }
    into = bytes;
    return true;
}

bool read_who(const json::value& from, std::optional<api::who_joins>& into) {
    if (wire::member(from, "who") == nullptr) {
        return true;
    }
    const auto text = wire::string_member(from, "who");
    if (text == by_invite) {
        into = api::who_joins::invite;
    } else if (text == by_invite_or_ask) {
        into = api::who_joins::invite_or_ask;
    }
    return into.has_value();
}

bool is_for_this_machine(const std::string& bind) {
    boost::system::error_code wrong;
    const auto address = boost::asio::ip::make_address(bind == "localhost" ? "127.0.0.1" : bind, wrong);
    return !wrong && address.is_loopback();
}

}  // namespace

result<sharing_choices> load_sharing(const std::filesystem::path& file) {
    std::error_code unknown;
    if (!std::filesystem::exists(file, unknown)) {
        return sharing_choices();
    }
    const auto text = read_small_file(file, max_file_bytes);
    if (!text) {
        return text.error();
    }
    const json::value from = wire::parse_or_null(*text);
    sharing_choices out;
    const bool is_whole = from.is_object() && read_flag(from, "sharing", out.sharing) &&
                          read_flag(from, "reachable", out.reachable) && read_memory(from, out.memory_bytes) &&
                          read_who(from, out.who);
    if (!is_whole) {
        return fail(errc::data_dir, file.string() +
                                        " is damaged; correct it, or remove it and choose again in the console what "
                                        "this machine shares.");
    }
    return out;
}

result<void> save_sharing(const std::filesystem::path& file, const sharing_choices& what) {
    json::object out;
    if (what.sharing) {
        out["sharing"] = *what.sharing;
    }
    if (what.memory_bytes) {
        out["memory_bytes"] = *what.memory_bytes;
    }
    if (what.reachable) {
        out["reachable"] = *what.reachable;
    }
    if (what.who) {
        out["who"] = *what.who == api::who_joins::invite ? by_invite : by_invite_or_ask;
    }
    return write_private_file(file, json::serialize(out) + "\n");
}

chosen_settings lay_over(settings::config given, const sharing_choices& chosen) {
    chosen_settings out{.settings = std::move(given), .fixed = {}};
    settings::config& into = out.settings;
    if (!into.peer_bind.empty() || !is_for_this_machine(into.bind)) {
        out.fixed.emplace_back("reachable");
    } else if (chosen.reachable.value_or(false)) {
        into.peer_bind = everywhere;
    }
    if (into.lan) {
        out.fixed.emplace_back("who");
    } else {
        into.lan = chosen.who == api::who_joins::invite_or_ask;
    }
    if (into.memory_bytes != 0) {
        out.fixed.emplace_back("memory");
    } else {
        into.memory_bytes = chosen.memory_bytes.value_or(0);
    }
    return out;
}

}  // namespace starling::node

#include "node/running_node.hpp"

#include "node/private_file.hpp"

#include <boost/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace starling::node {

namespace {

namespace json = boost::json;

/// Four fields and a path.
constexpr std::size_t max_file_bytes = std::size_t{16} * 1024;
/// Somebody who only looks holds the lock for a moment; a node holds it for good.
constexpr int lock_attempts = 5;
constexpr std::chrono::milliseconds between_attempts{20};

std::filesystem::path lock_path(const std::filesystem::path& data_dir) {
    return data_dir / "node.lock";
}

std::filesystem::path json_path(const std::filesystem::path& data_dir) {
    return data_dir / "node.json";
}

std::string text_field(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string{} : std::string(text->data(), text->size());
}

std::optional<running_node> read_published(const std::filesystem::path& data_dir) {
    const auto text = read_small_file(json_path(data_dir), max_file_bytes);
    if (!text) {
        return std::nullopt;
    }
    boost::system::error_code failed;
    const json::value parsed = json::parse(*text, failed);
    const json::object* object = failed ? nullptr : parsed.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    running_node out;
    out.api_url = text_field(*object, "api_url");
    out.node_id = text_field(*object, "node_id");
    out.version = text_field(*object, "version");
    out.api_key_file = text_field(*object, "api_key_file");
    out.control_token = text_field(*object, "control_token");
    const json::value* pid = object->if_contains("pid");
    out.pid = pid != nullptr && pid->is_int64() ? pid->get_int64() : 0;
    return out.api_url.empty() ? std::nullopt : std::optional(std::move(out));
}

error taken(const std::filesystem::path& data_dir) {
    std::string message = "Another node is running on " + data_dir.string();
    if (const auto other = read_published(data_dir)) {
        message += " (process " + std::to_string(other->pid) + ", " + other->api_url + ")";
    }
    return fail(errc::already_running, message + "; stop it, or give this one another --data-dir.");
}

}  // namespace

data_dir_lock::data_dir_lock(std::filesystem::path data_dir, int fd) : data_dir_(std::move(data_dir)), fd_(fd) {}

data_dir_lock::data_dir_lock(data_dir_lock&& other) noexcept
    : data_dir_(std::move(other.data_dir_)), fd_(std::exchange(other.fd_, -1)) {}

data_dir_lock::~data_dir_lock() {
    if (fd_ >= 0) {
        ::unlink(json_path(data_dir_).c_str());
        ::close(fd_);
    }
}

result<data_dir_lock> data_dir_lock::take(const std::filesystem::path& data_dir) {
    const std::filesystem::path path = lock_path(data_dir);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(errc::data_dir, "Cannot open " + path.string() + " (" + std::generic_category().message(errno) +
                                        "); make the data directory writable, or choose another with --data-dir.");
    }
    for (int attempt = 1; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++attempt) {
        if (attempt == lock_attempts) {
            ::close(fd);
            return taken(data_dir);
        }
        std::this_thread::sleep_for(between_attempts);
    }
    return data_dir_lock(data_dir, fd);
}

result<void> data_dir_lock::publish(const running_node& about) const {
    const json::object out{{"api_url", about.api_url},
                           {"node_id", about.node_id},
                           {"version", about.version},
                           {"api_key_file", about.api_key_file},
                           {"control_token", about.control_token},
                           {"pid", about.pid}};
    return write_private_file(json_path(data_dir_), json::serialize(out) + "\n");
}

std::optional<running_node> find_running(const std::filesystem::path& data_dir) {
    const int fd = ::open(lock_path(data_dir).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return std::nullopt;
    }
    const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(fd);
    return held ? read_published(data_dir) : std::nullopt;
}

}  // namespace starling::node

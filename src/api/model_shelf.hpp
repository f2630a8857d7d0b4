// What the API asks of the model files of this machine: what there is, and to load and unload it. Implemented by node.
// Network executor; nothing here blocks it.
#pragma once

#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace starling::api {

/// A model file of this machine.
struct shelf_file {
    std::string id;
    std::string source;  // the reference that names it
    std::uint64_t size_bytes = 0;
    std::int64_t context_length = 0;  // tokens, as trained; 0: not known
};

/// What became of a wish.
struct shelf_answer {
    std::string id;
    std::string state;  // as `here` of a row: loading, ready, waiting; standby, on_disk
};

class model_shelf {
  public:
    model_shelf() = default;
    model_shelf(const model_shelf&) = delete;
    model_shelf& operator=(const model_shelf&) = delete;
    virtual ~model_shelf() = default;

    /// Each id once, as it was when the disk was looked at last. Where that is some time ago, another look begins.
    virtual const std::vector<shelf_file>& files() = 0;

    /// Until files() is not older than that.
    virtual boost::asio::awaitable<void> look() = 0;

    /// Whether load(id) could be of use: there is a file, and this node serves models.
    virtual bool may_load(std::string_view id) const = 0;

    /// Whether unload(id) could be: its engine is all here.
    virtual bool may_unload(std::string_view id) const = 0;

    /// A reference as on the command line, or an id. Returns when the load has begun; what is ready or on its way stays
    /// as it is. Errors: engine::errc::unknown_model (no such file), invalid_request (not a model, too large, another
    /// one has its name), queue_full (too many are loading), unavailable.
    virtual boost::asio::awaitable<result<shelf_answer>> load(std::string reference) = 0;

    /// Answers under way finish; new requests do not see it any more. Errors: engine::errc::invalid_request.
    virtual result<shelf_answer> unload(const std::string& id) = 0;
};

}  // namespace starling::api

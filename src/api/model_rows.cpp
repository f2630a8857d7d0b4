#include "api/model_rows.hpp"

#include "api/mesh_view.hpp"
#include "api/model_shelf.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>

namespace starling::api {

namespace json = boost::json;
using route::model_state;
using route::model_status;

namespace {

/// Two decimals: these are measurements, not keys.
double rounded(double value) {
    return std::round(value * 100.0) / 100.0;
}

template <class Number>
json::value known_or_null(Number value) {
    return value > 0 ? json::value(value) : json::value(nullptr);
}

/// What rows are made of, read once for all of them.
struct views {
    std::vector<peer_facts> peers;
    std::vector<route::model_demand> demand;
    bool is_meshed = false;
    model_shelf* shelf = nullptr;
};

/// Members that have it ready and can be asked.
std::size_t nodes_with(const views& from, const std::string& id) {
    return static_cast<std::size_t>(std::count_if(from.peers.begin(), from.peers.end(), [&](const peer_facts& one) {
        return one.rtt_ms && std::find(one.models.begin(), one.models.end(), id) != one.models.end();
    }));
}

json::object make_row(const views& from, const std::string& id, std::string_view here, const std::string& source) {
    json::object out{{"id", id},
                     {"here", here},
                     {"source", source},
                     {"size_bytes", nullptr},
                     {"context_length", nullptr},
                     {"progress", 0.0},
                     {"requests", 0},
                     {"request_rate_per_min", 0.0},
                     {"last_active_s", nullptr},
                     {"nodes", nodes_with(from, id)},
                     {"can_load", false},
                     {"can_unload", false}};
    for (const route::model_demand& one : from.demand) {
        if (one.model == id) {
            out["requests"] = one.requests;
            out["request_rate_per_min"] = rounded(one.rate_per_min);
            out["last_active_s"] = rounded(one.last_active_s);
        }
    }
    return out;
}

void add_sizes(json::object& to, std::uint64_t size_bytes, std::int64_t context_length) {
    to["size_bytes"] = known_or_null(size_bytes);
    to["context_length"] = known_or_null(context_length);
}

json::object table_row(const views& from, const model_status& model, const shelf_file* file) {
    auto out = make_row(from, model.id, route::to_string(model.state), model.source);
    const auto info = model.generator ? model.generator->info() : engine::model_info{};
    add_sizes(out, info.size_bytes > 0 ? info.size_bytes : (file != nullptr ? file->size_bytes : 0),
              info.context_length > 0 ? info.context_length : (file != nullptr ? file->context_length : 0));
    out["progress"] = rounded(static_cast<double>(model.progress));
    if (!from.is_meshed) {
        out["requests"] = model.requests;
        out["request_rate_per_min"] = rounded(model.request_rate_per_min);
        out["last_active_s"] = model.last_active_s ? json::value(rounded(*model.last_active_s)) : json::value(nullptr);
    }
    if (!model.failure.empty()) {
        out["failure"] = model.failure;
    }
    const bool rests = model.state == model_state::standby || model.state == model_state::failed;
    out["can_load"] = rests && from.shelf != nullptr && from.shelf->may_load(model.id);
    out["can_unload"] = !rests && from.shelf != nullptr && from.shelf->may_unload(model.id);
    return out;
}

json::object file_row(const views& from, const shelf_file& file) {
    auto out = make_row(from, file.id, "on_disk", file.source);
    add_sizes(out, file.size_bytes, file.context_length);
    out["can_load"] = from.shelf->may_load(file.id);
    return out;
}

json::object elsewhere_row(const views& from, const mesh_model& model) {
    auto out = make_row(from, model.info.id, "none", "");
    add_sizes(out, model.info.size_bytes, model.info.context_length);
    return out;
}

bool has_row(const json::array& rows, const std::string& id) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const json::value& row) { return row.at("id").as_string() == id; });
}

}  // namespace

json::array model_rows(const route::model_table& models, const mesh_view* mesh, model_shelf* shelf) {
    views from;
    from.shelf = shelf;
    if (mesh != nullptr) {
        from.peers = mesh->peers();
        from.demand = mesh->demand();
        from.is_meshed = true;
    }
    const std::vector<shelf_file> no_files;
    const auto& files = shelf != nullptr ? shelf->files() : no_files;
    json::array out;
    for (const model_status& model : models.snapshot(std::chrono::steady_clock::now())) {
        const auto file =
            std::find_if(files.begin(), files.end(), [&](const shelf_file& one) { return one.id == model.id; });
        out.push_back(table_row(from, model, file != files.end() ? &*file : nullptr));
    }
    for (const shelf_file& file : files) {
        if (!has_row(out, file.id)) {
            out.push_back(file_row(from, file));
        }
    }
    for (const mesh_model& model : mesh != nullptr ? mesh->models() : std::vector<mesh_model>()) {
        if (!has_row(out, model.info.id)) {
            out.push_back(elsewhere_row(from, model));
        }
    }
    return out;
}

}  // namespace starling::api

// library: settings
// The configuration file: any bytes at all must give settings that are in range, or one sentence with a line number.
#include "settings/config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    starling::settings::config settings;
    const auto applied = starling::settings::apply_toml(settings, text, "fuzz.toml");
    if (!applied && !applied.error().message.starts_with("fuzz.toml, line ")) {
        std::abort();
    }
    if (settings.context < 0 || settings.slots < 0 || settings.threads < 0 || settings.gpu_layers < -1 ||
        settings.bind.empty()) {
        std::abort();
    }
    static_cast<void>(starling::settings::check(settings));
    // The same bytes as a flag and as a variable.
    const std::string value(text);
    static_cast<void>(starling::settings::apply_flags(settings, {{"port", value}, {"model", value}, {"name", value}}));
    static_cast<void>(starling::settings::apply_environment(settings, {{"GPU_LAYERS", value}}));
    return 0;
}

#include <starling/client.hpp>

#if defined(BOOST_CONFIG_HPP) || defined(FMT_VERSION) || defined(SPDLOG_VER_MAJOR)
#error "a public header includes what only Starling's own sources may"
#endif

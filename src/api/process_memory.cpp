// The only file here that one system has: Linux's /proc. Elsewhere the file does not exist, and the answer is 0.
#include "api/process_memory.hpp"

#include <unistd.h>

#include <fstream>

namespace starling::api {

std::uint64_t resident_memory() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    if (!(statm >> total_pages >> resident_pages)) {
        return 0;
    }
    return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace starling::api

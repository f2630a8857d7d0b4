// A process by descriptor: its number may be another process's a moment later. By system call, because the header of
// glibc 2.36 forgets that C++ exists.
#pragma once

#include "netlab/file_descriptor.hpp"

#include <sys/syscall.h>
#include <sys/types.h>

namespace starling::netlab {

/// Holds -1 when there is no such process.
inline file_descriptor open_process(pid_t pid) {
    return file_descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

inline void signal_process(const file_descriptor& process, int number) {
    ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0);
}

}  // namespace starling::netlab

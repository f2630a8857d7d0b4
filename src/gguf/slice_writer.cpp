#include "gguf/slice_writer.hpp"
#include "gguf/kernel_copy.hpp"
#include "gguf/slice.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <type_traits>
#include <utility>

namespace starling::gguf {

namespace {

constexpr mode_t public_file = 0644;
constexpr std::uint32_t magic = 0x46554747;  // "GGUF"
// Large enough for a disk or a peer to be read in its stride, small beside any model.
constexpr std::size_t chunk_bytes = 4U << 20;
// Temporary names that may be taken, by other writers or by what a crash left.
constexpr int name_attempts = 100;

class header_bytes {
  public:
    template <class T>
    void number(T n) {
        out_.append(reinterpret_cast<const char*>(&n), sizeof(T));
    }
    void string(std::string_view text) {
        number<std::uint64_t>(text.size());
        out_ += text;
    }
    void list(const array& values) {
        number(static_cast<std::uint32_t>(values.type()));
        number<std::uint64_t>(values.size());
        if (values.type() != value_type::string) {
            out_ += values.raw();
            return;
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            string(*values.text_at(i));
        }
    }
    void entry(const metadata_entry& e) {
        string(e.key);
        number(static_cast<std::uint32_t>(e.value.type()));
        std::visit(
            [&](const auto& held) {
                using T = std::decay_t<decltype(held)>;
                if constexpr (std::is_same_v<T, std::string>) {
                    string(held);
                } else if constexpr (std::is_same_v<T, array>) {
                    list(held);
                } else {
                    number(held);
                }
            },
            e.value.held);
    }
    void tensor(const tensor_info& t) {
        string(t.name);
        number(t.dimensions);
        for (std::uint32_t i = 0; i < t.dimensions; ++i) {
            number(t.shape[i]);
        }
        number(t.type);
        number(t.offset);
    }
    std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

std::uint64_t padded(std::uint64_t bytes, std::uint32_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

error system_failure(const std::string& what, const std::filesystem::path& path) {
    const int code = errno;
    if (code == ENOSPC || code == EDQUOT) {
        return fail(errc::io_failed,
                    "the disk is full: " + path.string() + " could not be written; make room and try again");
    }
    return fail(errc::io_failed, "cannot " + what + " " + path.string() + ": " + std::generic_category().message(code));
}

// A file that is gone again unless it was committed.
class temporary_file {
  public:
    static result<temporary_file> create(const std::filesystem::path& beside) {
        temporary_file out;
        for (int attempt = 0; out.descriptor_ < 0 && attempt < name_attempts; ++attempt) {
            out.path_ = beside;
            out.path_ += "." + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
            out.descriptor_ = ::open(out.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, public_file);
            if (out.descriptor_ < 0 && errno != EEXIST) {
                break;
            }
        }
        if (out.descriptor_ < 0) {
            return system_failure("create", out.path_);
        }
        return out;
    }
    temporary_file(temporary_file&& other) noexcept
        : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    temporary_file& operator=(temporary_file&&) = delete;
    ~temporary_file() {
        if (descriptor_ >= 0) {
            ::unlink(path_.c_str());
            ::close(descriptor_);
        }
    }

    int descriptor() const { return descriptor_; }

    result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) {
                continue;
            }
            if (put <= 0) {
                return system_failure("write", path_);
            }
            offset += static_cast<std::uint64_t>(put);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return {};
    }

    // What is not written is a hole of zeros.
    result<void> resize(std::uint64_t size) {
        return ::ftruncate(descriptor_, static_cast<off_t>(size)) == 0 ? result<void>()
                                                                       : system_failure("write", path_);
    }

    result<void> commit(const std::filesystem::path& to) {
        if (::fsync(descriptor_) != 0) {
            return system_failure("write", path_);
        }
        if (::rename(path_.c_str(), to.c_str()) != 0) {
            return system_failure("rename to its final name", path_);
        }
        ::close(std::exchange(descriptor_, -1));
        // The rename is only on the disk once the folder is.
        const std::filesystem::path folder = to.has_parent_path() ? to.parent_path() : ".";
        const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool synced = opened >= 0 && ::fsync(opened) == 0;
        const auto outcome = synced ? result<void>() : system_failure("write", folder);
        if (opened >= 0) {
            ::close(opened);
        }
        return outcome;
    }

  private:
    temporary_file() = default;

    std::filesystem::path path_;
    int descriptor_ = -1;
};

// Copies tensors, counting what is done.
class tensor_copier {
  public:
    tensor_copier(range_source& from, temporary_file& to, const slice_progress& progress, std::uint64_t done)
        : from_(from), to_(to), progress_(progress), done_(done) {}

    result<void> skip(std::uint64_t bytes) { return advance(bytes); }

    result<void> copy(std::uint64_t source, std::uint64_t target, std::uint64_t bytes) {
        while (bytes > 0) {
            const std::uint64_t count = std::min<std::uint64_t>(bytes, chunk_bytes);
            const std::uint64_t moved = in_kernel(source, target, count);
            if (moved == 0) {
                if (auto done = through_memory(source, target, static_cast<std::size_t>(count)); !done) {
                    return done;
                }
            }
            const std::uint64_t step = moved > 0 ? moved : count;
            source += step;
            target += step;
            bytes -= step;
            if (auto done = advance(step); !done) {
                return done;
            }
        }
        return {};
    }

  private:
    result<void> advance(std::uint64_t bytes) {
        done_ += bytes;
        return progress_ && !progress_(done_) ? fail(errc::io_failed, "stopped") : result<void>();
    }

    // Bytes that were moved; 0 where the kernel or the file systems cannot, and from then on.
    std::uint64_t in_kernel(std::uint64_t source, std::uint64_t target, std::uint64_t count) {
        if (!kernel_copies_ || from_.descriptor() < 0) {
            return 0;
        }
        const std::uint64_t moved = copy_in_kernel(from_.descriptor(), source, to_.descriptor(), target, count);
        kernel_copies_ = moved > 0;
        return moved;
    }

    result<void> through_memory(std::uint64_t source, std::uint64_t target, std::size_t count) {
        buffer_.resize(chunk_bytes);
        const std::span<std::byte> chunk(buffer_.data(), count);
        auto done = from_.read(source, chunk);
        return done ? to_.write(target, chunk) : done;
    }

    range_source& from_;
    temporary_file& to_;
    const slice_progress& progress_;
    std::uint64_t done_;
    bool kernel_copies_ = true;
    std::vector<std::byte> buffer_;
};

}  // namespace

result<std::string> lay_out(file_header& header) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t end = 0;
    for (tensor_info& tensor : header.tensors) {
        tensor.offset = end;
        if (tensor.bytes > most - max_alignment - max_header_bytes ||
            end > most - max_header_bytes - tensor.bytes - 2ULL * max_alignment) {
            return fail(errc::corrupt, "the model has more bytes than a file can hold");
        }
        end = padded(end + tensor.bytes, header.alignment);
    }
    header.version = 3;
    header_bytes out;
    out.number(magic);
    out.number(header.version);
    out.number<std::uint64_t>(header.tensors.size());
    out.number<std::uint64_t>(header.metadata.size());
    for (const metadata_entry& entry : header.metadata) {
        out.entry(entry);
    }
    for (const tensor_info& tensor : header.tensors) {
        out.tensor(tensor);
    }
    std::string bytes = out.take();
    header.header_bytes = bytes.size();
    if (!header.tensors.empty()) {
        bytes.resize(padded(bytes.size(), header.alignment));
    }
    header.data_offset = bytes.size();
    header.file_size = bytes.size() + end;
    return bytes;
}

std::uint64_t fetched_bytes(const slice_plan& plan) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < plan.sources.size(); ++i) {
        sum += plan.sources[i] ? plan.header.tensors[i].bytes : 0;
    }
    return sum;
}

result<void> write_slice(const slice_plan& plan, range_source& from, const std::filesystem::path& to,
                         const slice_progress& progress) {
    auto file = temporary_file::create(to);
    if (!file) {
        return file.error();
    }
    if (auto done = file->write(0, std::as_bytes(std::span(plan.header_bytes))); !done) {
        return done;
    }
    tensor_copier copier(from, *file, progress, plan.header_bytes.size());
    for (std::size_t i = 0; i < plan.sources.size(); ++i) {
        const tensor_info& tensor = plan.header.tensors[i];
        const std::uint64_t target = plan.header.data_offset + tensor.offset;
        auto done = plan.sources[i] ? copier.copy(*plan.sources[i], target, tensor.bytes) : copier.skip(tensor.bytes);
        if (!done) {
            return done;
        }
    }
    if (auto done = file->resize(plan.header.file_size); !done) {
        return done;
    }
    return file->commit(to);
}

}  // namespace starling::gguf

#include "gguf/slice_writer.hpp"
#include "gguf/kernel_copy.hpp"
#include "gguf/slice.hpp"
#include "gguf/temporary_file.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace starling::gguf {

namespace {

constexpr std::uint32_t magic = 0x46554747;  // "GGUF"
// Large enough for a disk or a peer to be read in its stride, small beside any model.
constexpr std::size_t chunk_bytes = 4U << 20;

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

result<fresh_slice> write_fresh_slice(const slice_plan& plan, range_source& from, const std::filesystem::path& to,
                                      const slice_progress& progress) {
    auto created = temporary_file::create(to);
    if (!created) {
        return created.error();
    }
    auto file = std::make_unique<temporary_file>(std::move(*created));
    if (auto done = file->write(0, std::as_bytes(std::span(plan.header_bytes))); !done) {
        return done.error();
    }
    tensor_copier copier(from, *file, progress, plan.header_bytes.size());
    for (std::size_t i = 0; i < plan.sources.size(); ++i) {
        const tensor_info& tensor = plan.header.tensors[i];
        const std::uint64_t target = plan.header.data_offset + tensor.offset;
        auto done = plan.sources[i] ? copier.copy(*plan.sources[i], target, tensor.bytes) : copier.skip(tensor.bytes);
        if (!done) {
            return done.error();
        }
    }
    if (auto done = file->resize(plan.header.file_size); !done) {
        return done.error();
    }
    return fresh_slice(std::move(file), to);
}

result<void> write_slice(const slice_plan& plan, range_source& from, const std::filesystem::path& to,
                         const slice_progress& progress) {
    auto written = write_fresh_slice(plan, from, to, progress);
    return written ? written->keep() : written.error();
}

fresh_slice::fresh_slice(std::unique_ptr<temporary_file> written, std::filesystem::path to)
    : written_(std::move(written)), to_(std::move(to)) {}
fresh_slice::fresh_slice(fresh_slice&&) noexcept = default;
fresh_slice& fresh_slice::operator=(fresh_slice&&) noexcept = default;
fresh_slice::~fresh_slice() = default;

const std::filesystem::path& fresh_slice::path() const {
    return written_->path();
}

result<void> fresh_slice::keep() {
    return written_->commit(to_);
}

}  // namespace starling::gguf

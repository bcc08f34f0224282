// stdio_stream (descriptor_stream.h): other people's descriptors made non-blocking without their
// owners noticing.
#include "reactor/net/descriptor_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace reactor {
namespace {

using base::Result;

/// A non-blocking descriptor for what another one refers to.
struct Borrowed {
    OwnedFd fd;
    std::optional<int> flags_before;  ///< To be restored: the open file is shared.
};

Result<Borrowed> borrow(int fd, int access) {
    // A file, pipe or terminal of our own: its flags are nobody else's. Sockets cannot be reopened.
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    struct stat status{};
    if (::fstat(fd, &status) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot use standard input/output"));
    const bool has_position = S_ISREG(status.st_mode);  // A new one would start at the beginning.
    if (!S_ISSOCK(status.st_mode) && !has_position) {
        OwnedFd own(::open(path.c_str(), access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
        if (own) return Borrowed{std::move(own), std::nullopt};
    }
    OwnedFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const int flags = copy ? ::fcntl(copy.get(), F_GETFL) : -1;
    if (flags < 0 || ::fcntl(copy.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot use standard input/output"));
    if ((flags & O_NONBLOCK) != 0) return Borrowed{std::move(copy), std::nullopt};
    return Borrowed{std::move(copy), flags};
}

/// Sets the flags back when it goes, through a descriptor of its own.
class FlagsRestored {
public:
    explicit FlagsRestored(const Borrowed& borrowed) {
        if (!borrowed.flags_before) return;
        fd_ = borrowed.fd.duplicate();
        flags_ = *borrowed.flags_before;
    }
    FlagsRestored(FlagsRestored&&) = default;
    FlagsRestored& operator=(FlagsRestored&&) = delete;
    ~FlagsRestored() {
        if (fd_) ::fcntl(fd_.get(), F_SETFL, flags_);
    }

private:
    OwnedFd fd_;
    int flags_ = 0;
};

class StdioStream final : public DescriptorStream {
public:
    StdioStream(World& world, Borrowed input, Borrowed output, FlagsRestored input_flags,
                FlagsRestored output_flags)
        : DescriptorStream(world, std::move(input.fd), std::move(output.fd), "stdio"),
          input_flags_(std::move(input_flags)),
          output_flags_(std::move(output_flags)) {}

private:
    FlagsRestored input_flags_;
    FlagsRestored output_flags_;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> stdio_stream(World& world, int input, int output) {
    Borrowed reading = TRY(borrow(input, O_RDONLY));
    Borrowed writing = TRY(borrow(output, O_WRONLY));
    FlagsRestored reading_flags(reading);
    FlagsRestored writing_flags(writing);
    return std::make_unique<StdioStream>(world, std::move(reading), std::move(writing),
                                         std::move(reading_flags), std::move(writing_flags));
}

Result<std::unique_ptr<ByteStream>> stdio_stream(World& world) {
    return stdio_stream(world, STDIN_FILENO, STDOUT_FILENO);
}

}  // namespace reactor

#include "server/app/files.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace server {
namespace {

constexpr std::size_t kFileBytesMax = 1024UL * 1024UL;

class OpenFile {
public:
    explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

base::Result<void> write_all(int descriptor, const std::string& content, const std::string& path) {
    std::size_t written = 0;
    while (written < content.size()) {
        const ssize_t count =
            ::write(descriptor, content.data() + written, content.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return std::unexpected(base::failure_from_errno(errno, "cannot write " + path));
        written += static_cast<std::size_t>(count);
    }
    if (::fsync(descriptor) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot write " + path));
    return {};
}

}  // namespace

base::Result<void> prepare_folder(const std::string& path) {
    const std::filesystem::path folder(path);
    std::error_code error;
    if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return std::unexpected(base::failure_from_errno(
            errno, "cannot make the data folder " + path +
                       "; make it yourself and give it to this user, or set data_dir"));
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        return base::fail(base::Errc::invalid_argument,
                          path + " is not a folder; move it away or set data_dir");
    if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0)
        return std::unexpected(base::failure_from_errno(
            errno, "cannot write to the data folder " + path +
                       "; give it to this user (chown) or set data_dir"));
    return {};
}

base::Result<std::string> read_file(const std::string& path) {
    const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot read " + path));
    std::string content;
    char buffer[8192];
    for (;;) {
        const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return std::unexpected(base::failure_from_errno(errno, "cannot read " + path));
        if (count == 0) return content;
        content.append(buffer, static_cast<std::size_t>(count));
        if (content.size() > kFileBytesMax)
            return base::fail(base::Errc::invalid_argument, path + " is larger than 1 MiB");
    }
}

base::Result<void> write_private_file(const std::string& path, const std::string& content) {
    const std::string temporary = path + ".new";
    {
        const OpenFile file(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (file.get() < 0)
            return std::unexpected(base::failure_from_errno(errno, "cannot write " + temporary));
        TRY(write_all(file.get(), content, temporary));
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot write " + path));
    return {};
}

}  // namespace server

// Results and reports as files.
#include <cerrno>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <sys/stat.h>

#include "tests/bots/report/result_json.h"

namespace bots {
namespace {

base::Result<void> write_file(const std::string& path, std::string_view text) {
    errno = 0;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (out) return {};
    return std::unexpected(base::failure_from_errno(errno, fmt::format("cannot write {}", path)));
}

// A device or a pipe (/dev/stdout) is written to, not replaced.
bool is_replaceable(const std::string& path) {
    struct stat status{};
    return stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

}  // namespace

base::Result<void> save_text(const std::string& path, std::string_view text) {
    if (!is_replaceable(path)) return write_file(path, text);
    const std::string partial = path + ".partial";
    auto written = write_file(partial, text);
    if (written && std::rename(partial.c_str(), path.c_str()) == 0) return {};
    auto failure = written ? base::failure_from_errno(errno, fmt::format("cannot replace {}", path))
                           : std::move(written).error();
    std::remove(partial.c_str());
    return std::unexpected(std::move(failure));
}

base::Result<RunResult> load_result(const std::string& path) {
    struct stat status{};
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in || stat(path.c_str(), &status) != 0)
        return std::unexpected(
            base::failure_from_errno(errno, fmt::format("cannot open {}", path)));
    if (S_ISDIR(status.st_mode))
        return base::fail(base::Errc::invalid_argument, fmt::format("{} is a directory", path));
    std::string json;
    std::string block(64UL * 1024, '\0');
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
        json.append(block, 0, static_cast<std::size_t>(in.gcount()));
        if (json.size() > kResultBytesMax)
            return base::fail(base::Errc::invalid_argument,
                              fmt::format("{}: larger than any result", path));
    }
    auto result = result_from_json(json);
    if (!result) return std::unexpected(result.error().with(path));
    return result;
}

}  // namespace bots

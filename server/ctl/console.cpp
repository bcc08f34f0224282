#include "server/ctl/console.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace server::ctl {
namespace {

constexpr char kControlC = '\x03';

/// Echo off as long as it lives. Signals from keys are off as well: a Ctrl-C arrives as a byte, so
/// that the terminal is always put right again.
class QuietTerminal {
public:
    QuietTerminal() {
        active_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (!active_) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        quiet.c_lflag |= ICANON;
        quiet.c_cc[VEOL] = static_cast<cc_t>(kControlC);  // Ends the line, as Enter does.
        active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
    }
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
    ~QuietTerminal() {
        if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    bool active() const { return active_; }

private:
    termios before_{};
    bool active_ = false;
};

/// Byte by byte, so that nothing behind the line is taken from a shared standard input. A Ctrl-C
/// that arrives as a byte ends it with nothing.
std::optional<std::string> take_line(std::size_t bytes_max) {
    std::string line;
    for (;;) {
        char letter = '\0';
        const ssize_t count = ::read(STDIN_FILENO, &letter, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 || (count == 0 && line.empty())) return std::nullopt;
        if (count == 0 || letter == '\n') break;
        if (letter == kControlC || line.size() == bytes_max) return std::nullopt;
        line += letter;
    }
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

class Terminal final : public Console {
public:
    void out(std::string_view text) override { write(stdout, text); }
    void err(std::string_view text) override { write(stderr, text); }
    bool is_interactive() const override { return ::isatty(STDIN_FILENO) == 1; }

    std::optional<std::string> read_secret(std::string_view prompt) override {
        if (!is_interactive()) return take_line(kPasswordBytesMax);
        const QuietTerminal quiet;
        if (!quiet.active()) return std::nullopt;  // Better no password than a visible one.
        err(prompt);
        auto line = take_line(kPasswordBytesMax);
        err("\n");
        return line;
    }

    std::optional<std::string> read_line(std::string_view prompt) override {
        err(prompt);
        return take_line(kPasswordBytesMax);
    }

private:
    static void write(std::FILE* stream, std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stream);
        std::fflush(stream);
    }
};

}  // namespace

std::unique_ptr<Console> make_terminal() {
    return std::make_unique<Terminal>();
}

}  // namespace server::ctl

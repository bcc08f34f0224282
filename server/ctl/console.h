// Console: the person (or script) in front of parleyctl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace server::ctl {

/// The longest password that is read; the server has the last word.
inline constexpr std::size_t kPasswordBytesMax = 1024;

class Console {
public:
    virtual ~Console() = default;
    virtual void out(std::string_view text) = 0;
    virtual void err(std::string_view text) = 0;
    /// Somebody sits there and can answer questions.
    virtual bool is_interactive() const = 0;
    /// One line, without its end; nothing at the end of input or when it is too long. With a
    /// person: after `prompt`, and what is typed does not show; Ctrl-C answers nothing.
    virtual std::optional<std::string> read_secret(std::string_view prompt) = 0;
    /// One visible line.
    virtual std::optional<std::string> read_line(std::string_view prompt) = 0;
};

/// Standard input, output and error. Prompts go to standard error.
std::unique_ptr<Console> make_terminal();

}  // namespace server::ctl

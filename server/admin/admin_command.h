// Admin commands as data: name, arguments and what to run. The table is the protocol of the admin
// socket; the server's own commands are in admin_commands.cpp, others may add theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reactor/base/unique_function.h"
#include "reactor/deferred.h"
#include "server/admin/admin_value.h"
#include "xmpp/core/jid.h"

namespace server {

class AdminBackend;

enum class ArgumentType : std::uint8_t {
    text,
    secret,  ///< A text that is never echoed in messages or logs.
    jid,
    integer,
    boolean,
};

struct AdminArgument {
    std::string_view name;
    ArgumentType type = ArgumentType::text;
    bool required = false;
    std::string_view help;
};

/// The arguments of one call: checked against the command's list before it runs.
class AdminArguments {
public:
    using Value = std::variant<std::string, xmpp::Jid, std::int64_t, bool>;

    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// Of text and secret; empty when absent.
    std::string text(std::string_view name) const;
    xmpp::Jid jid(std::string_view name) const;  ///< Empty when absent.
    std::int64_t integer(std::string_view name, std::int64_t fallback) const;
    bool flag(std::string_view name) const;  ///< False when absent.

    void set(std::string name, Value value);

private:
    const Value* find(std::string_view name) const;
    std::vector<std::pair<std::string, Value>> values_;
};

/// What a person should do about a failure of this command with that code.
struct AdminMend {
    base::Errc code;
    std::string_view text;
};

struct AdminCommand {
    std::string_view name;  ///< "add-user"
    std::string_view help;  ///< One sentence.
    std::vector<AdminArgument> arguments;
    std::vector<AdminMend> mends;
    bool changes = false;  ///< Worth a line in the log; questions are logged for debugging only.
    /// Runs on the shard of the admin socket.
    base::UniqueFunction<reactor::Deferred<AdminValue>(AdminArguments)> run;
};

/// Why a request got no result: {"code", "message", "mend"} on the wire.
struct AdminError {
    std::string code;
    std::string message;
    std::string mend;
};

/// A reply, and what is worth logging about it.
struct AdminReply {
    std::string line;
    std::string command;   ///< Empty when the request named none that exists.
    std::string subject;   ///< The JID that it was about; may be empty.
    std::string failure;   ///< The error code; empty when it went well.
    bool changes = false;  ///< As in the command.
};

/// The table of commands. "help" is always there and lists the others. Only changed before the
/// socket opens.
class AdminCommands {
public:
    AdminCommands();

    /// CHECKs that the name is new. All texts of a command are literals.
    void add(AdminCommand command);
    /// In the order of addition.
    const std::vector<AdminCommand>& all() const { return commands_; }

    /// Answers one request, which is one line of JSON without its line break:
    /// `{"command": "add-user", "arguments": {"jid": "…", "password": "…"}}`. The reply is one line
    /// as well, with its line break: `{"ok":true,"result":…}` or `{"ok":false,"error":{…}}`.
    /// Never fails. The table must outlive the Deferred and not change before it has settled.
    reactor::Deferred<AdminReply> answer(std::string request);

private:
    struct Call;
    base::Result<Call, AdminError> prepare(std::string_view request) const;
    AdminValue list() const;

    std::vector<AdminCommand> commands_;
};

/// Adds the commands of the server itself (admin_commands.cpp). `backend` must outlive the table.
void add_standard_commands(AdminCommands& commands, AdminBackend& backend);

}  // namespace server

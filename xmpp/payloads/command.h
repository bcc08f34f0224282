// Ad-hoc commands (XEP-0050): the <command/> of a request and of its answer, as values. What a
// command does, and who may, is its owner's business.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/error.h"
#include "xmpp/payloads/data_form.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace xmpp {

class Element;

inline constexpr std::size_t kCommandTextBytesMax = 1024;  ///< Of a node or a session id.

enum class CommandAction : std::uint8_t { execute, cancel, prev, next, complete };

struct CommandRequest {
    std::string node{};
    std::string session_id{};  ///< Empty: it begins.
    CommandAction action = CommandAction::execute;
    std::optional<DataForm> form{};

    /// `command` is the <command/> of an iq set. Errors: bad-request with malformed-action for an
    /// action that is none, with bad-payload for a form that is none, and alone without a node.
    static base::Result<CommandRequest, StanzaError> parse(const Element& command);
};

enum class CommandStatus : std::uint8_t { executing, completed, canceled };

struct CommandResponse {
    std::string node{};
    std::string session_id{};
    CommandStatus status = CommandStatus::completed;
    /// With `executing`: it is filled in and then the command completes.
    std::optional<DataForm> form{};
    std::string note{};  ///< For people; empty: none.

    Element to_element() const;
};

/// bad-request with that application condition of §4.4 ("bad-action", "bad-sessionid", …).
StanzaError command_error(std::string_view condition, std::string text = {});

}  // namespace xmpp

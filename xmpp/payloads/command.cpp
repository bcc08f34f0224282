#include "xmpp/payloads/command.h"

#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <array>
#include <utility>

namespace xmpp {
namespace {

// In the order of CommandAction.
constexpr std::array<std::string_view, 5> kActions = {"execute", "cancel", "prev", "next",
                                                      "complete"};
// In the order of CommandStatus.
constexpr std::array<std::string_view, 3> kStatuses = {"executing", "completed", "canceled"};

}  // namespace

StanzaError command_error(std::string_view condition, std::string text) {
    return StanzaError::bad_request(std::move(text)).with_app_condition(condition, ns::commands);
}

base::Result<CommandRequest, StanzaError> CommandRequest::parse(const Element& command) {
    CommandRequest request{.node = std::string(command.attribute("node")),
                           .session_id = std::string(command.attribute("sessionid"))};
    if (request.node.empty()) return std::unexpected(StanzaError::bad_request("which command?"));
    if (request.node.size() > kCommandTextBytesMax ||
        request.session_id.size() > kCommandTextBytesMax)
        return std::unexpected(StanzaError::bad_request("too long"));
    if (command.has_attribute("action")) {
        const auto found = std::ranges::find(kActions, command.attribute("action"));
        if (found == kActions.end()) return std::unexpected(command_error("malformed-action"));
        request.action = static_cast<CommandAction>(found - kActions.begin());
    }
    if (const Element* x = command.child("x", ns::data_forms)) {
        auto form = DataForm::parse(*x);
        if (!form) return std::unexpected(command_error("bad-payload"));
        request.form = *std::move(form);
    }
    return request;
}

Element CommandResponse::to_element() const {
    Element command("command", ns::commands);
    command.set_attribute("node", node);
    command.set_attribute("sessionid", session_id);
    command.set_attribute("status", kStatuses[static_cast<std::size_t>(status)]);
    if (status == CommandStatus::executing) {
        Element& actions = command.add_child("actions");
        actions.set_attribute("execute", "complete");
        actions.add_child("complete");
    }
    if (form) command.add(form->to_element());
    if (!note.empty()) {
        Element& element = command.add_child("note");
        element.set_attribute("type", "info");
        element.add_text(note);
    }
    return command;
}

}  // namespace xmpp

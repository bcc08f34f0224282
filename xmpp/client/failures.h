// What a peer's protocol errors mean to a program: stream errors, stanza errors and SASL conditions
// as base::Failure, with the condition's name and the peer's words in the text.
#pragma once

#include "reactor/base/failure.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"

#include <optional>

namespace xmpp {

/// conflict: already_exists; host-unknown, host-gone: not_found; not-authorized: permission_denied;
/// resource-constraint: resource_exhausted; connection-timeout: timed_out; system-shutdown, reset:
/// connection_done; unsupported-*: unsupported; the rest: connection_aborted.
/// "the server closed the stream: conflict (Replaced by new connection)"
base::Failure failure_of(const StreamError& error);

/// not-authorized, forbidden, not-allowed, subscription- and registration-required:
/// permission_denied; item-not-found, gone, recipient-unavailable, remote-server-not-found:
/// not_found; conflict: already_exists; feature-not-implemented, service-unavailable: unsupported;
/// resource-constraint, policy-violation: resource_exhausted; remote-server-timeout: timed_out;
/// bad-request, jid-malformed, not-acceptable, unexpected-request: invalid_argument; the rest:
/// io_error. "item-not-found (no such node)", see condition_of().
base::Failure failure_of(const StanzaError& error);
/// The condition of a failure that failure_of(StanzaError) made; nullopt for any other.
std::optional<StanzaCondition> condition_of(const base::Failure& failure);

/// <failure/> of a SASL exchange (RFC 6120 §6.5). temporary-auth-failure: busy; invalid-mechanism,
/// mechanism-too-weak, encryption-required: unsupported; the rest: permission_denied.
base::Failure failure_of_sasl(const Element& failure);

}  // namespace xmpp

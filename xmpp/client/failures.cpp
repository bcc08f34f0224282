// See failures.h.
#include "xmpp/client/failures.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/sasl/step.h"

namespace xmpp {
namespace {

using base::Errc;

Errc code_of(StreamCondition condition) {
    switch (condition) {
        case StreamCondition::conflict:
            return Errc::already_exists;
        case StreamCondition::host_gone:
        case StreamCondition::host_unknown:
            return Errc::not_found;
        case StreamCondition::not_authorized:
            return Errc::permission_denied;
        case StreamCondition::resource_constraint:
            return Errc::resource_exhausted;
        case StreamCondition::connection_timeout:
            return Errc::timed_out;
        case StreamCondition::system_shutdown:
        case StreamCondition::reset:
            return Errc::connection_done;
        case StreamCondition::unsupported_encoding:
        case StreamCondition::unsupported_feature:
        case StreamCondition::unsupported_stanza_type:
        case StreamCondition::unsupported_version:
            return Errc::unsupported;
        default:
            return Errc::connection_aborted;
    }
}

Errc code_of(StanzaCondition condition) {
    switch (condition) {
        case StanzaCondition::forbidden:
        case StanzaCondition::not_allowed:
        case StanzaCondition::not_authorized:
        case StanzaCondition::registration_required:
        case StanzaCondition::subscription_required:
            return Errc::permission_denied;
        case StanzaCondition::gone:
        case StanzaCondition::item_not_found:
        case StanzaCondition::recipient_unavailable:
        case StanzaCondition::remote_server_not_found:
            return Errc::not_found;
        case StanzaCondition::conflict:
            return Errc::already_exists;
        case StanzaCondition::feature_not_implemented:
        case StanzaCondition::service_unavailable:
            return Errc::unsupported;
        case StanzaCondition::policy_violation:
        case StanzaCondition::resource_constraint:
            return Errc::resource_exhausted;
        case StanzaCondition::remote_server_timeout:
            return Errc::timed_out;
        case StanzaCondition::bad_request:
        case StanzaCondition::jid_malformed:
        case StanzaCondition::not_acceptable:
        case StanzaCondition::unexpected_request:
            return Errc::invalid_argument;
        default:
            return Errc::io_error;
    }
}

Errc code_of(std::optional<sasl::SaslCondition> condition) {
    if (!condition) return Errc::permission_denied;
    switch (*condition) {
        case sasl::SaslCondition::temporary_auth_failure:
            return Errc::busy;
        case sasl::SaslCondition::encryption_required:
        case sasl::SaslCondition::invalid_mechanism:
        case sasl::SaslCondition::mechanism_too_weak:
            return Errc::unsupported;
        default:
            return Errc::permission_denied;
    }
}

std::string with_text(std::string_view condition, std::string_view text) {
    std::string whole(condition);
    if (!text.empty()) whole.append(" (").append(text).append(")");
    return whole;
}

}  // namespace

base::Failure failure_of(const StreamError& error) {
    const std::string words = with_text(name_of(error.condition()), error.text());
    return {code_of(error.condition()), "the server closed the stream: " + words};
}

base::Failure failure_of(const StanzaError& error) {
    return {code_of(error.condition()), with_text(name_of(error.condition()), error.text())};
}

std::optional<StanzaCondition> condition_of(const base::Failure& failure) {
    const std::string_view words = failure.detail();
    const auto condition = parse_stanza_condition(words.substr(0, words.find(' ')));
    if (!condition || code_of(*condition) != failure.code()) return std::nullopt;
    return condition;
}

base::Failure failure_of_sasl(const Element& failure) {
    std::optional<sasl::SaslCondition> condition;
    std::string name = "no reason given";
    for (const Element& child : failure.children()) {
        if (child.name() == "text") continue;
        condition = sasl::parse_sasl_condition(child.name());
        name = child.name();
        break;
    }
    return {code_of(condition), "the server refused the login: " +
                                    with_text(name, failure.child_text("text", ns::sasl))};
}

}  // namespace xmpp

// The condition tables of RFC 6120 and the XML form of errors.
#include "xmpp/core/error.h"

#include <algorithm>
#include <utility>

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

constexpr std::array<std::string_view, 5> kErrorTypes = {"auth", "cancel", "continue", "modify",
                                                         "wait"};

struct ConditionRow {
    std::string_view name;
    ErrorType type;
};

// RFC 6120 §8.3.3.1 to §8.3.3.22, with the type that each section recommends.
constexpr std::array<ConditionRow, kStanzaConditionCount> kStanzaConditions = {{
    {"bad-request", ErrorType::modify},
    {"conflict", ErrorType::cancel},
    {"feature-not-implemented", ErrorType::cancel},
    {"forbidden", ErrorType::auth},
    {"gone", ErrorType::cancel},
    {"internal-server-error", ErrorType::cancel},
    {"item-not-found", ErrorType::cancel},
    {"jid-malformed", ErrorType::modify},
    {"not-acceptable", ErrorType::modify},
    {"not-allowed", ErrorType::cancel},
    {"not-authorized", ErrorType::auth},
    {"policy-violation", ErrorType::modify},
    {"recipient-unavailable", ErrorType::wait},
    {"redirect", ErrorType::modify},
    {"registration-required", ErrorType::auth},
    {"remote-server-not-found", ErrorType::cancel},
    {"remote-server-timeout", ErrorType::wait},
    {"resource-constraint", ErrorType::wait},
    {"service-unavailable", ErrorType::cancel},
    {"subscription-required", ErrorType::auth},
    {"undefined-condition", ErrorType::cancel},
    {"unexpected-request", ErrorType::wait},
}};

// RFC 6120 §4.9.3.1 to §4.9.3.25.
constexpr std::array<std::string_view, kStreamConditionCount> kStreamConditions = {
    "bad-format",
    "bad-namespace-prefix",
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "internal-server-error",
    "invalid-from",
    "invalid-namespace",
    "invalid-xml",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "system-shutdown",
    "undefined-condition",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
};

void add_text(Element& error, std::string_view ns, std::string_view text) {
    if (text.empty()) return;
    error.add(Element("text", ns, text)).set_lang("en");
}

}  // namespace

std::string_view name_of(ErrorType type) noexcept {
    return kErrorTypes[static_cast<std::size_t>(type)];
}

std::optional<ErrorType> parse_error_type(std::string_view text) noexcept {
    const auto found = std::ranges::find(kErrorTypes, text);
    if (found == kErrorTypes.end()) return std::nullopt;
    return static_cast<ErrorType>(found - kErrorTypes.begin());
}

std::string_view name_of(StanzaCondition condition) noexcept {
    return kStanzaConditions[static_cast<std::size_t>(condition)].name;
}

std::optional<StanzaCondition> parse_stanza_condition(std::string_view text) noexcept {
    const auto found = std::ranges::find(kStanzaConditions, text, &ConditionRow::name);
    if (found == kStanzaConditions.end()) return std::nullopt;
    return static_cast<StanzaCondition>(found - kStanzaConditions.begin());
}

ErrorType default_type(StanzaCondition condition) noexcept {
    return kStanzaConditions[static_cast<std::size_t>(condition)].type;
}

std::string_view name_of(StreamCondition condition) noexcept {
    return kStreamConditions[static_cast<std::size_t>(condition)];
}

std::optional<StreamCondition> parse_stream_condition(std::string_view text) noexcept {
    const auto found = std::ranges::find(kStreamConditions, text);
    if (found == kStreamConditions.end()) return std::nullopt;
    return static_cast<StreamCondition>(found - kStreamConditions.begin());
}

// --- StanzaError

StanzaError::StanzaError(StanzaCondition condition, std::string text)
    : StanzaError(default_type(condition), condition, std::move(text)) {}

StanzaError::StanzaError(ErrorType type, StanzaCondition condition, std::string text)
    : condition_(condition), type_(type), text_(std::move(text)) {}

StanzaError StanzaError::bad_request(std::string text) {
    return StanzaError(StanzaCondition::bad_request, std::move(text));
}
StanzaError StanzaError::conflict(std::string text) {
    return StanzaError(StanzaCondition::conflict, std::move(text));
}
StanzaError StanzaError::feature_not_implemented(std::string text) {
    return StanzaError(StanzaCondition::feature_not_implemented, std::move(text));
}
StanzaError StanzaError::forbidden(std::string text) {
    return StanzaError(StanzaCondition::forbidden, std::move(text));
}
StanzaError StanzaError::gone(std::string new_address, std::string text) {
    StanzaError error(StanzaCondition::gone, std::move(text));
    error.address_ = std::move(new_address);
    return error;
}
StanzaError StanzaError::internal_server_error(std::string text) {
    return StanzaError(StanzaCondition::internal_server_error, std::move(text));
}
StanzaError StanzaError::item_not_found(std::string text) {
    return StanzaError(StanzaCondition::item_not_found, std::move(text));
}
StanzaError StanzaError::jid_malformed(std::string text) {
    return StanzaError(StanzaCondition::jid_malformed, std::move(text));
}
StanzaError StanzaError::not_acceptable(std::string text) {
    return StanzaError(StanzaCondition::not_acceptable, std::move(text));
}
StanzaError StanzaError::not_allowed(std::string text) {
    return StanzaError(StanzaCondition::not_allowed, std::move(text));
}
StanzaError StanzaError::not_authorized(std::string text) {
    return StanzaError(StanzaCondition::not_authorized, std::move(text));
}
StanzaError StanzaError::policy_violation(std::string text) {
    return StanzaError(StanzaCondition::policy_violation, std::move(text));
}
StanzaError StanzaError::recipient_unavailable(std::string text) {
    return StanzaError(StanzaCondition::recipient_unavailable, std::move(text));
}
StanzaError StanzaError::redirect(std::string address, std::string text) {
    StanzaError error(StanzaCondition::redirect, std::move(text));
    error.address_ = std::move(address);
    return error;
}
StanzaError StanzaError::registration_required(std::string text) {
    return StanzaError(StanzaCondition::registration_required, std::move(text));
}
StanzaError StanzaError::remote_server_not_found(std::string text) {
    return StanzaError(StanzaCondition::remote_server_not_found, std::move(text));
}
StanzaError StanzaError::remote_server_timeout(std::string text) {
    return StanzaError(StanzaCondition::remote_server_timeout, std::move(text));
}
StanzaError StanzaError::resource_constraint(std::string text) {
    return StanzaError(StanzaCondition::resource_constraint, std::move(text));
}
StanzaError StanzaError::service_unavailable(std::string text) {
    return StanzaError(StanzaCondition::service_unavailable, std::move(text));
}
StanzaError StanzaError::subscription_required(std::string text) {
    return StanzaError(StanzaCondition::subscription_required, std::move(text));
}
StanzaError StanzaError::undefined_condition(std::string text) {
    return StanzaError(StanzaCondition::undefined_condition, std::move(text));
}
StanzaError StanzaError::unexpected_request(std::string text) {
    return StanzaError(StanzaCondition::unexpected_request, std::move(text));
}

StanzaError StanzaError::with_type(ErrorType type) && {
    type_ = type;
    return std::move(*this);
}
StanzaError StanzaError::with_app_condition(Element condition) && {
    app_condition_ = std::move(condition);
    return std::move(*this);
}
StanzaError StanzaError::with_app_condition(std::string_view name, std::string_view ns) && {
    return std::move(*this).with_app_condition(Element(name, ns));
}
StanzaError StanzaError::with_by(const Jid& origin) && {
    by_ = origin.text();
    return std::move(*this);
}

Element StanzaError::to_element(std::string_view stanza_ns) const {
    Element error("error", stanza_ns);
    if (!by_.empty()) error.set_attribute("by", by_);
    error.set_attribute("type", name_of(type_));
    error.add(Element(name_of(condition_), ns::stanza_errors, address_));
    add_text(error, ns::stanza_errors, text_);
    if (app_condition_) error.add(*app_condition_);
    return error;
}

Element StanzaError::to_element() const {
    return to_element(ns::client);
}

std::optional<StanzaError> StanzaError::parse(const Element& error) {
    if (error.name() != "error") return std::nullopt;
    StanzaError parsed(StanzaCondition::undefined_condition);
    bool has_condition = false;
    for (const Element& child : error.children()) {
        if (child.ns() != ns::stanza_errors) {
            if (!parsed.app_condition_) parsed.app_condition_ = child;
        } else if (child.name() == "text") {
            if (parsed.text_.empty()) parsed.text_ = child.text();
        } else if (!has_condition) {
            has_condition = true;
            parsed.condition_ =
                parse_stanza_condition(child.name()).value_or(StanzaCondition::undefined_condition);
            if (parsed.is(StanzaCondition::gone) || parsed.is(StanzaCondition::redirect)) {
                parsed.address_ = child.text();
            }
        }
    }
    parsed.type_ = parse_error_type(error.attribute("type")).value_or(ErrorType::cancel);
    parsed.by_ = error.attribute("by");
    return parsed;
}

// --- StreamError

StreamError::StreamError(StreamCondition condition, std::string text)
    : condition_(condition), text_(std::move(text)) {}

StreamError StreamError::see_other_host(std::string host, std::string text) {
    StreamError error(StreamCondition::see_other_host, std::move(text));
    error.other_host_ = std::move(host);
    return error;
}

StreamError StreamError::with_app_condition(Element condition) && {
    app_condition_ = std::move(condition);
    return std::move(*this);
}
StreamError StreamError::with_app_condition(std::string_view name, std::string_view ns) && {
    return std::move(*this).with_app_condition(Element(name, ns));
}

Element StreamError::to_element() const {
    Element error("error", ns::stream);
    error.add(Element(name_of(condition_), ns::stream_errors, other_host_));
    add_text(error, ns::stream_errors, text_);
    if (app_condition_) error.add(*app_condition_);
    return error;
}

std::string StreamError::to_xml() const {
    const Element error = to_element();
    std::string xml = "<stream:error>";
    for (const Element& child : error.children())
        append_xml(xml, child);
    xml += "</stream:error>";
    return xml;
}

std::optional<StreamError> StreamError::parse(const Element& error) {
    if (!error.is("error", ns::stream)) return std::nullopt;
    StreamError parsed(StreamCondition::undefined_condition);
    bool has_condition = false;
    for (const Element& child : error.children()) {
        if (child.ns() != ns::stream_errors) {
            if (!parsed.app_condition_) parsed.app_condition_ = child;
        } else if (child.name() == "text") {
            if (parsed.text_.empty()) parsed.text_ = child.text();
        } else if (!has_condition) {
            has_condition = true;
            parsed.condition_ =
                parse_stream_condition(child.name()).value_or(StreamCondition::undefined_condition);
            if (parsed.is(StreamCondition::see_other_host)) parsed.other_host_ = child.text();
        }
    }
    return parsed;
}

}  // namespace xmpp

// Protocol errors as values: stanza errors (RFC 6120 §8.3) and stream errors (RFC 6120 §4.9).
// Failures of our own machinery are base::Failure.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

/// What the sender may do about it (RFC 6120 §8.3.2). `continue_` is the protocol's "continue".
enum class ErrorType : std::uint8_t { auth, cancel, continue_, modify, wait };

std::string_view name_of(ErrorType type) noexcept;
std::optional<ErrorType> parse_error_type(std::string_view text) noexcept;

/// The 22 defined conditions of RFC 6120 §8.3.3, in its order.
enum class StanzaCondition : std::uint8_t {
    bad_request,
    conflict,
    feature_not_implemented,
    forbidden,
    gone,
    internal_server_error,
    item_not_found,
    jid_malformed,
    not_acceptable,
    not_allowed,
    not_authorized,
    policy_violation,
    recipient_unavailable,
    redirect,
    registration_required,
    remote_server_not_found,
    remote_server_timeout,
    resource_constraint,
    service_unavailable,
    subscription_required,
    undefined_condition,
    unexpected_request,
};
inline constexpr std::size_t kStanzaConditionCount = 22;

/// The element name on the wire ("item-not-found").
std::string_view name_of(StanzaCondition condition) noexcept;
std::optional<StanzaCondition> parse_stanza_condition(std::string_view text) noexcept;
/// The error type that the RFC associates with the condition.
ErrorType default_type(StanzaCondition condition) noexcept;

/// A stanza error. A value; text and application condition are optional.
/// `return std::unexpected(StanzaError::item_not_found("no such node"));`
class StanzaError {
public:
    explicit StanzaError(StanzaCondition condition, std::string text = {});
    StanzaError(ErrorType type, StanzaCondition condition, std::string text = {});

    static StanzaError bad_request(std::string text = {});
    static StanzaError conflict(std::string text = {});
    static StanzaError feature_not_implemented(std::string text = {});
    static StanzaError forbidden(std::string text = {});
    /// `new_address`: an XMPP URI or nothing (RFC 6120 §8.3.3.5).
    static StanzaError gone(std::string new_address = {}, std::string text = {});
    static StanzaError internal_server_error(std::string text = {});
    static StanzaError item_not_found(std::string text = {});
    static StanzaError jid_malformed(std::string text = {});
    static StanzaError not_acceptable(std::string text = {});
    static StanzaError not_allowed(std::string text = {});
    static StanzaError not_authorized(std::string text = {});
    static StanzaError policy_violation(std::string text = {});
    static StanzaError recipient_unavailable(std::string text = {});
    /// `address`: where to go, an XMPP URI (RFC 6120 §8.3.3.14).
    static StanzaError redirect(std::string address, std::string text = {});
    static StanzaError registration_required(std::string text = {});
    static StanzaError remote_server_not_found(std::string text = {});
    static StanzaError remote_server_timeout(std::string text = {});
    static StanzaError resource_constraint(std::string text = {});
    static StanzaError service_unavailable(std::string text = {});
    static StanzaError subscription_required(std::string text = {});
    static StanzaError undefined_condition(std::string text = {});
    static StanzaError unexpected_request(std::string text = {});

    StanzaCondition condition() const noexcept { return condition_; }
    ErrorType type() const noexcept { return type_; }
    bool is(StanzaCondition wanted) const noexcept { return condition_ == wanted; }
    const std::string& text() const noexcept { return text_; }
    /// The content of <gone/> or <redirect/>; empty otherwise.
    const std::string& address() const noexcept { return address_; }
    /// The application-specific condition, or nullptr.
    const Element* app_condition() const noexcept {
        return app_condition_ ? &*app_condition_ : nullptr;
    }
    /// Who raised it (the 'by' attribute); empty when not said.
    const std::string& by() const noexcept { return by_; }

    /// The same error with another type, application condition or origin.
    [[nodiscard]] StanzaError with_type(ErrorType type) &&;
    [[nodiscard]] StanzaError with_app_condition(Element condition) &&;
    [[nodiscard]] StanzaError with_app_condition(std::string_view name, std::string_view ns) &&;
    [[nodiscard]] StanzaError with_by(const Jid& origin) &&;

    /// <error/> in the namespace of the stanza that will hold it.
    Element to_element(std::string_view stanza_ns) const;
    Element to_element() const;  ///< In jabber:client.

    /// Reads <error/>. An unknown or missing condition reads as undefined-condition, an unknown
    /// type as cancel; nullopt only when `error` is not named "error".
    static std::optional<StanzaError> parse(const Element& error);

    friend bool operator==(const StanzaError&, const StanzaError&) = default;

private:
    StanzaCondition condition_;
    ErrorType type_;
    std::string text_;
    std::string address_;
    std::string by_;
    std::optional<Element> app_condition_;
};

/// The 25 defined conditions of RFC 6120 §4.9.3, in its order.
enum class StreamCondition : std::uint8_t {
    bad_format,
    bad_namespace_prefix,
    conflict,
    connection_timeout,
    host_gone,
    host_unknown,
    improper_addressing,
    internal_server_error,
    invalid_from,
    invalid_namespace,
    invalid_xml,
    not_authorized,
    not_well_formed,
    policy_violation,
    remote_connection_failed,
    reset,
    resource_constraint,
    restricted_xml,
    see_other_host,
    system_shutdown,
    undefined_condition,
    unsupported_encoding,
    unsupported_feature,
    unsupported_stanza_type,
    unsupported_version,
};
inline constexpr std::size_t kStreamConditionCount = 25;

std::string_view name_of(StreamCondition condition) noexcept;
std::optional<StreamCondition> parse_stream_condition(std::string_view text) noexcept;

/// A stream error. Every one closes the stream: the sender writes to_xml() and the closing tag.
class StreamError {
public:
    explicit StreamError(StreamCondition condition, std::string text = {});

    /// `host` as in RFC 6120 §4.9.3.19: "name", "name:port", "[IPv6]:port".
    static StreamError see_other_host(std::string host, std::string text = {});

    StreamCondition condition() const noexcept { return condition_; }
    bool is(StreamCondition wanted) const noexcept { return condition_ == wanted; }
    const std::string& text() const noexcept { return text_; }
    const std::string& other_host() const noexcept { return other_host_; }
    const Element* app_condition() const noexcept {
        return app_condition_ ? &*app_condition_ : nullptr;
    }

    [[nodiscard]] StreamError with_app_condition(Element condition) &&;
    [[nodiscard]] StreamError with_app_condition(std::string_view name, std::string_view ns) &&;

    /// <error/> in the stream namespace.
    Element to_element() const;
    /// `<stream:error>…</stream:error>`; the prefix "stream" must be bound by the stream header.
    std::string to_xml() const;
    /// Reads <stream:error/>; nullopt when it is none. An unknown condition reads as
    /// undefined-condition.
    static std::optional<StreamError> parse(const Element& error);

    friend bool operator==(const StreamError&, const StreamError&) = default;

private:
    StreamCondition condition_;
    std::string text_;
    std::string other_host_;
    std::optional<Element> app_condition_;
};

}  // namespace xmpp

// Stanza: a message, presence or iq with its addresses parsed (RFC 6120 §8, RFC 6121). Syntax only:
// who may send what to whom is decided by the server's routing.
//
// A stanza keeps the bytes between its start tag and end tag as they came, shared and immutable.
// While nobody edits the content, serialising it writes a new start tag and those bytes, and a copy
// for another recipient shares both the bytes and the tree.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/namespaces.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

enum class StanzaKind : std::uint8_t { message, presence, iq };
enum class MessageType : std::uint8_t { normal, chat, groupchat, headline, error };
enum class PresenceType : std::uint8_t {
    available,  ///< No 'type' attribute.
    unavailable,
    subscribe,
    subscribed,
    unsubscribe,
    unsubscribed,
    probe,
    error,
};
enum class IqType : std::uint8_t { get, set, result, error };

/// The element name, and the value of 'type' (empty for PresenceType::available).
std::string_view name_of(StanzaKind kind) noexcept;
std::string_view name_of(MessageType type) noexcept;
std::string_view name_of(PresenceType type) noexcept;
std::string_view name_of(IqType type) noexcept;

/// A stanza in jabber:client. Copyable and movable; may be moved to another thread, and copies may
/// live on different threads. Not to be used by two threads at once.
class Stanza {
public:
    /// True for message, presence and iq in jabber:client.
    static bool is_stanza(const Element& element) noexcept;

    /// Takes `element` over on success and leaves it untouched on failure, so that the caller can
    /// answer with `error_reply`. `raw_inner` is its content as it stood on the wire, or empty
    /// (see StanzaElement::raw_inner in xml/parser.h for when it may be given).
    /// Errors: not a stanza or an unknown presence or iq type: bad-request; 'to' or 'from' not an
    /// address: jid-malformed. An unknown message type reads as normal (RFC 6121 §5.2.2).
    static base::Result<Stanza, StanzaError> from_element(Element&& element,
                                                          base::SharedBytes raw_inner = {});

    static Stanza message(MessageType type);
    static Stanza presence(PresenceType type);
    static Stanza iq(IqType type, std::string_view id);

    StanzaKind kind() const noexcept { return kind_; }
    bool is_message() const noexcept { return kind_ == StanzaKind::message; }
    bool is_presence() const noexcept { return kind_ == StanzaKind::presence; }
    bool is_iq() const noexcept { return kind_ == StanzaKind::iq; }

    /// Requires the kind to match.
    MessageType message_type() const noexcept;
    PresenceType presence_type() const noexcept;
    IqType iq_type() const noexcept;
    /// An iq of type get or set: one that must be answered.
    bool is_request() const noexcept;
    /// An iq of type result or error: one that must not be answered.
    bool is_response() const noexcept;
    /// Type "error", of any kind.
    bool is_error() const noexcept;
    Stanza& set_type(MessageType type);
    Stanza& set_type(PresenceType type);
    Stanza& set_type(IqType type);

    /// The parsed addresses; nullopt when the attribute is absent.
    const std::optional<Jid>& from() const noexcept { return from_; }
    const std::optional<Jid>& to() const noexcept { return to_; }
    Stanza& set_from(const Jid& jid);
    Stanza& set_to(const Jid& jid);
    Stanza& clear_from();
    Stanza& clear_to();

    /// Empty when absent.
    std::string_view id() const noexcept { return root_.attribute("id"); }
    Stanza& set_id(std::string_view id);
    std::string_view lang() const noexcept { return root_.lang(); }
    Stanza& set_lang(std::string_view tag);

    /// The whole element. Valid until this stanza changes.
    const Element& element() const noexcept { return root_; }
    /// The element for writing. The bytes as received are dropped: the stanza will be serialised
    /// from its tree. Change 'to', 'from' and 'type' by the functions above only, never here.
    Element& edit();
    /// Adds a last child; the bytes as received are kept, with it behind them.
    Stanza& append_child(Element child);
    /// The first child element: the payload of an iq. Nullptr when there is none.
    const Element* payload() const noexcept { return root_.first_child(); }
    /// That child of the stanza, or nullptr.
    const Element* child(std::string_view name, std::string_view ns) const noexcept {
        return root_.child(name, ns);
    }
    /// The text of the first <body/> of a message; empty when there is none.
    std::string body_text() const { return root_.child_text("body", ns::client); }
    bool has_body() const noexcept { return root_.child("body", ns::client) != nullptr; }

    /// The rules for an iq's id and payload (RFC 6120 §8.2.3): id present; get and set have exactly
    /// one child element; result has at most one. nullopt when they hold, else what to answer
    /// (bad-request). A response that breaks them is to be dropped. Requires is_iq().
    std::optional<StanzaError> check_iq() const;

    /// A result for this iq: same id, addresses swapped, `payload` as content.
    Stanza reply_result(std::optional<Element> payload = std::nullopt) const;
    /// An error for this stanza (RFC 6120 §8.3): type error, same id, addresses swapped. With
    /// `include_payload` the content precedes <error/>. Not for stanzas that must not be answered:
    /// errors and iq results (§8.3.1); see may_answer_with_error().
    Stanza reply_error(const StanzaError& error, bool include_payload = false) const;
    bool may_answer_with_error() const noexcept { return !is_error() && !is_response(); }
    /// The same for an element that from_element refused: its id and raw addresses, swapped. An
    /// address that is not one is left out. An element whose type is error or result must not be
    /// answered: nullopt.
    static std::optional<Element> error_reply(const Element& refused, const StanzaError& error);

    /// The <error/> child, read; nullopt when the type is not error.
    std::optional<StanzaError> error() const;

    /// Appends the stanza's XML. `stream_default_ns` is the default namespace of the stream it will
    /// be written to; with another one than jabber:client the start tag declares it.
    void append_to(std::string& out, std::string_view stream_default_ns = ns::client) const;
    /// The same with another 'to', without a copy of the stanza.
    void append_to(std::string& out, std::string_view stream_default_ns, const Jid& to) const;
    std::string to_xml() const;

    /// Makes copies cheap: the content of a stanza that was built or edited here is serialised once
    /// and shared by all copies from now on. Stanzas from from_element are that already.
    Stanza& share_content();
    const base::SharedBytes& raw_inner() const noexcept { return raw_inner_; }

    Stanza(const Stanza& other);
    Stanza& operator=(const Stanza& other);
    Stanza(Stanza&&) noexcept = default;
    Stanza& operator=(Stanza&&) noexcept = default;
    ~Stanza() = default;

private:
    Stanza(StanzaKind kind, std::uint8_t type);
    Stanza reply() const;
    void append(std::string& out, std::string_view stream_default_ns, const Jid* to) const;

    Element root_;
    std::optional<Jid> from_;
    std::optional<Jid> to_;
    base::SharedBytes raw_inner_;
    StanzaKind kind_;
    std::uint8_t type_;
};

}  // namespace xmpp

// Stanza: see stanza.h.
#include "xmpp/core/stanza.h"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "reactor/base/check.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

constexpr std::array<std::string_view, 3> kKinds = {"message", "presence", "iq"};
constexpr std::array<std::string_view, 5> kMessageTypes = {"normal", "chat", "groupchat",
                                                           "headline", "error"};
constexpr std::array<std::string_view, 8> kPresenceTypes = {
    "", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"};
constexpr std::array<std::string_view, 4> kIqTypes = {"get", "set", "result", "error"};

std::optional<std::uint8_t> index_in(std::span<const std::string_view> names,
                                     std::string_view name) {
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (names[index] == name) return static_cast<std::uint8_t>(index);
    }
    return std::nullopt;
}

base::Result<std::uint8_t, StanzaError> parse_type(StanzaKind kind, const Element& element) {
    const std::string_view text = element.attribute("type");
    std::optional<std::uint8_t> type;
    switch (kind) {
        case StanzaKind::message:
            return index_in(kMessageTypes, text)
                .value_or(static_cast<std::uint8_t>(MessageType::normal));
        case StanzaKind::presence:
            // An attribute that is there but empty is none of the values of RFC 6121 §4.7.1.
            if (!element.has_attribute("type")) {
                return static_cast<std::uint8_t>(PresenceType::available);
            }
            if (!text.empty()) type = index_in(kPresenceTypes, text);
            break;
        case StanzaKind::iq:
            type = index_in(kIqTypes, text);
            break;
    }
    if (!type) return std::unexpected(StanzaError::bad_request("unknown stanza type"));
    return *type;
}

base::Result<std::optional<Jid>, StanzaError> parse_address(const Element& element,
                                                            std::string_view name) {
    if (!element.has_attribute(name)) return std::nullopt;
    auto jid = Jid::parse(element.attribute(name));
    if (!jid) {
        std::string text = "'";
        text += name;
        text += "': ";
        text += jid.error().detail();
        return std::unexpected(StanzaError::jid_malformed(std::move(text)));
    }
    return std::optional(*std::move(jid));
}

}  // namespace

std::string_view name_of(StanzaKind kind) noexcept {
    return kKinds[static_cast<std::size_t>(kind)];
}
std::string_view name_of(MessageType type) noexcept {
    return kMessageTypes[static_cast<std::size_t>(type)];
}
std::string_view name_of(PresenceType type) noexcept {
    return kPresenceTypes[static_cast<std::size_t>(type)];
}
std::string_view name_of(IqType type) noexcept {
    return kIqTypes[static_cast<std::size_t>(type)];
}

bool Stanza::is_stanza(const Element& element) noexcept {
    return element.ns() == ns::client && index_in(kKinds, element.name()).has_value();
}

Stanza::Stanza(StanzaKind kind, std::uint8_t type)
    : root_(name_of(kind), ns::client), kind_(kind), type_(type) {}

base::Result<Stanza, StanzaError> Stanza::from_element(Element&& element,
                                                       base::SharedBytes raw_inner) {
    const auto kind = index_in(kKinds, element.name());
    if (!kind || element.ns() != ns::client) {
        return std::unexpected(StanzaError::bad_request("not a stanza"));
    }
    auto to = TRY(parse_address(element, "to"));
    auto from = TRY(parse_address(element, "from"));
    const auto type = TRY(parse_type(static_cast<StanzaKind>(*kind), element));
    Stanza stanza(static_cast<StanzaKind>(*kind), type);
    stanza.root_ = std::move(element);
    stanza.root_.make_content_shareable();
    // The prepared form is what travels on, so that everybody compares the same text.
    if (to && to->text() != stanza.root_.attribute("to")) {
        stanza.root_.set_attribute("to", to->text());
    }
    if (from && from->text() != stanza.root_.attribute("from")) {
        stanza.root_.set_attribute("from", from->text());
    }
    stanza.to_ = std::move(to);
    stanza.from_ = std::move(from);
    stanza.raw_inner_ = std::move(raw_inner);
    return stanza;
}

Stanza Stanza::message(MessageType type) {
    Stanza stanza(StanzaKind::message, 0);
    stanza.set_type(type);
    return stanza;
}

Stanza Stanza::presence(PresenceType type) {
    Stanza stanza(StanzaKind::presence, 0);
    stanza.set_type(type);
    return stanza;
}

Stanza Stanza::iq(IqType type, std::string_view id) {
    Stanza stanza(StanzaKind::iq, 0);
    stanza.set_id(id);
    stanza.set_type(type);
    return stanza;
}

Stanza::Stanza(const Stanza& other)
    : root_(other.root_.shared_copy()),
      from_(other.from_),
      to_(other.to_),
      raw_inner_(other.raw_inner_),
      kind_(other.kind_),
      type_(other.type_) {}

Stanza& Stanza::operator=(const Stanza& other) {
    if (this != &other) *this = Stanza(other);
    return *this;
}

// --- type

MessageType Stanza::message_type() const noexcept {
    CHECK(is_message());
    return static_cast<MessageType>(type_);
}
PresenceType Stanza::presence_type() const noexcept {
    CHECK(is_presence());
    return static_cast<PresenceType>(type_);
}
IqType Stanza::iq_type() const noexcept {
    CHECK(is_iq());
    return static_cast<IqType>(type_);
}

bool Stanza::is_request() const noexcept {
    return is_iq() && (iq_type() == IqType::get || iq_type() == IqType::set);
}
bool Stanza::is_response() const noexcept {
    return is_iq() && !is_request();
}

bool Stanza::is_error() const noexcept {
    switch (kind_) {
        case StanzaKind::message:
            return message_type() == MessageType::error;
        case StanzaKind::presence:
            return presence_type() == PresenceType::error;
        case StanzaKind::iq:
            return iq_type() == IqType::error;
    }
    return false;
}

Stanza& Stanza::set_type(MessageType type) {
    CHECK(is_message());
    type_ = static_cast<std::uint8_t>(type);
    root_.set_attribute("type", name_of(type));
    return *this;
}
Stanza& Stanza::set_type(PresenceType type) {
    CHECK(is_presence());
    type_ = static_cast<std::uint8_t>(type);
    if (type == PresenceType::available) {
        root_.remove_attribute("type");
    } else {
        root_.set_attribute("type", name_of(type));
    }
    return *this;
}
Stanza& Stanza::set_type(IqType type) {
    CHECK(is_iq());
    type_ = static_cast<std::uint8_t>(type);
    root_.set_attribute("type", name_of(type));
    return *this;
}

// --- addresses and the other attributes

Stanza& Stanza::set_from(const Jid& jid) {
    root_.set_attribute("from", jid.text());
    from_ = jid;
    return *this;
}
Stanza& Stanza::set_to(const Jid& jid) {
    root_.set_attribute("to", jid.text());
    to_ = jid;
    return *this;
}
Stanza& Stanza::clear_from() {
    root_.remove_attribute("from");
    from_.reset();
    return *this;
}
Stanza& Stanza::clear_to() {
    root_.remove_attribute("to");
    to_.reset();
    return *this;
}
Stanza& Stanza::set_id(std::string_view id) {
    root_.set_attribute("id", id);
    return *this;
}
Stanza& Stanza::set_lang(std::string_view tag) {
    root_.set_lang(tag);
    return *this;
}

Stanza& Stanza::append_child(Element child) {
    if (!raw_inner_.empty()) {
        // Most of what is added here is an id and an address.
        constexpr std::size_t kChildBytes = 160;
        std::string inner;
        inner.reserve(raw_inner_.size() + kChildBytes);
        inner = raw_inner_.view();
        append_xml(inner, child, ns::client);
        raw_inner_ = base::SharedBytes(std::move(inner));
    }
    root_.make_content_private();
    root_.add(std::move(child));
    return *this;
}

Element& Stanza::edit() {
    raw_inner_ = {};
    root_.make_content_private();
    return root_;
}

Stanza& Stanza::share_content() {
    if (raw_inner_.empty()) {
        std::string inner;
        append_inner_xml(inner, root_);
        raw_inner_ = base::SharedBytes(std::move(inner));
    }
    root_.make_content_shareable();
    return *this;
}

// --- iq rules, replies

std::optional<StanzaError> Stanza::check_iq() const {
    const IqType type = iq_type();
    if (id().empty()) return StanzaError::bad_request("an iq needs an 'id'");
    if (type == IqType::error) return std::nullopt;
    const std::size_t children = root_.child_count();
    if (type == IqType::result) {
        if (children <= 1) return std::nullopt;
        return StanzaError::bad_request("an iq of type result has at most one child element");
    }
    if (children == 1) return std::nullopt;
    return StanzaError::bad_request("an iq of type get or set has exactly one child element");
}

Stanza Stanza::reply() const {
    Stanza answer(kind_, 0);
    if (from_) answer.set_to(*from_);
    if (to_) answer.set_from(*to_);
    if (root_.has_attribute("id")) answer.set_id(id());
    return answer;
}

Stanza Stanza::reply_result(std::optional<Element> payload) const {
    CHECK(is_iq());
    Stanza answer = reply();
    answer.set_type(IqType::result);
    if (payload) answer.root_.add(*std::move(payload));
    return answer;
}

Stanza Stanza::reply_error(const StanzaError& error, bool include_payload) const {
    Stanza answer = reply();
    switch (kind_) {
        case StanzaKind::message:
            answer.set_type(MessageType::error);
            break;
        case StanzaKind::presence:
            answer.set_type(PresenceType::error);
            break;
        case StanzaKind::iq:
            answer.set_type(IqType::error);
            break;
    }
    if (include_payload) {
        for (const Element& child : root_.children())
            answer.root_.add(child);
    }
    answer.root_.add(error.to_element());
    return answer;
}

std::optional<Element> Stanza::error_reply(const Element& refused, const StanzaError& error) {
    const std::string_view type = refused.attribute("type");
    if (type == "error" || (refused.name() == "iq" && type == "result")) return std::nullopt;
    Element answer(refused.name(), refused.ns());
    const auto swap_in = [&](std::string_view source, std::string_view target) {
        if (!refused.has_attribute(source)) return;
        if (const auto jid = Jid::parse(refused.attribute(source))) {
            answer.set_attribute(target, jid->text());
        }
    };
    swap_in("from", "to");
    swap_in("to", "from");
    if (refused.has_attribute("id")) answer.set_attribute("id", refused.attribute("id"));
    answer.set_attribute("type", "error");
    answer.add(error.to_element(refused.ns()));
    return answer;
}

std::optional<StanzaError> Stanza::error() const {
    if (!is_error()) return std::nullopt;
    const Element* const error = root_.child("error", ns::client);
    if (error == nullptr) return StanzaError::undefined_condition();
    return StanzaError::parse(*error);
}

// --- serialising

void Stanza::append(std::string& out, std::string_view stream_default_ns, const Jid* to) const {
    append_start_tag(out, root_, stream_default_ns, to != nullptr ? "to" : "",
                     to != nullptr ? std::string_view(to->text()) : std::string_view());
    if (raw_inner_.empty() && root_.has_no_content()) {
        out += "/>";
        return;
    }
    out += '>';
    if (!raw_inner_.empty()) {
        out += raw_inner_.view();
    } else {
        append_inner_xml(out, root_);
    }
    out += "</";
    out += root_.name();
    out += '>';
}

void Stanza::append_to(std::string& out, std::string_view stream_default_ns) const {
    append(out, stream_default_ns, nullptr);
}

void Stanza::append_to(std::string& out, std::string_view stream_default_ns, const Jid& to) const {
    append(out, stream_default_ns, &to);
}

std::string Stanza::to_xml() const {
    // Enough, unless something has to be escaped, or the content to be written from the tree.
    std::size_t bytes = 2 * root_.name().size() + sizeof("<></>") + raw_inner_.size();
    for (const Attribute& attribute : root_.attributes())
        bytes += attribute.name.size() + attribute.value.size() + sizeof(" xml:=''");
    std::string out;
    out.reserve(bytes);
    append_to(out);
    return out;
}

}  // namespace xmpp

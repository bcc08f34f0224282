// See sm_elements.h.
#include "xmpp/stream/sm_elements.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

template <class T>
using Parsed = std::expected<T, StanzaError>;

StanzaError malformed(std::string_view element, std::string_view attribute) {
    return StanzaError::bad_request("<" + std::string(element) + "/> needs a valid '" +
                                    std::string(attribute) + "'");
}

// xs:unsignedInt, without the sign that it would allow.
std::optional<std::uint32_t> parse_unsigned(std::string_view text) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
    return number;
}

Parsed<std::uint32_t> required_handled(const Element& element) {
    if (const auto handled = parse_unsigned(element.attribute("h"))) return *handled;
    return std::unexpected(malformed(element.name(), "h"));
}

Parsed<std::optional<std::uint32_t>> optional_handled(const Element& element) {
    if (!element.has_attribute("h")) return std::nullopt;
    return TRY(required_handled(element));
}

// xs:positiveInteger, which has no end: more seconds than we can count are as many as we can.
Parsed<std::optional<std::uint32_t>> optional_seconds(const Element& element) {
    const std::string_view text = element.attribute("max");
    if (!element.has_attribute("max")) return std::nullopt;
    const bool all_digits =
        std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
    if (!all_digits || text.find_first_not_of('0') == std::string_view::npos)
        return std::unexpected(malformed(element.name(), "max"));
    return parse_unsigned(text).value_or(std::numeric_limits<std::uint32_t>::max());
}

// xs:boolean, false when absent.
Parsed<bool> resume_flag(const Element& element) {
    const std::string_view text = element.attribute("resume");
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0" || !element.has_attribute("resume")) return false;
    return std::unexpected(malformed(element.name(), "resume"));
}

Parsed<std::string> required_id(const Element& element, std::string_view name) {
    const std::string_view id = element.attribute(name);
    if (id.empty() || id.size() > kSmIdBytesMax)
        return std::unexpected(malformed(element.name(), name));
    return std::string(id);
}

Parsed<SmElement> parse_enable(const Element& element) {
    const bool resume = TRY(resume_flag(element));
    const auto max_seconds = TRY(optional_seconds(element));
    return SmEnable{resume, max_seconds};
}

Parsed<SmElement> parse_enabled(const Element& element) {
    SmEnabled enabled;
    enabled.resume = TRY(resume_flag(element));
    if (enabled.resume || element.has_attribute("id")) enabled.id = TRY(required_id(element, "id"));
    enabled.max_seconds = TRY(optional_seconds(element));
    enabled.location = element.attribute("location");
    return enabled;
}

Parsed<SmElement> parse_failed(const Element& element) {
    SmFailed failed;
    failed.handled = TRY(optional_handled(element));
    for (const Element& child : element.children()) {
        if (child.ns() != ns::stanza_errors) continue;
        if (child.name() == "text") {
            failed.text = child.text();
        } else if (!failed.condition) {
            failed.condition = parse_stanza_condition(child.name());
        }
    }
    return failed;
}

template <class Wanted>
Parsed<SmElement> parse_resumption(const Element& element) {
    std::string previd = TRY(required_id(element, "previd"));
    const std::uint32_t handled = TRY(required_handled(element));
    return Wanted{std::move(previd), handled};
}

std::string open_tag(std::string_view name) {
    std::string xml = "<";
    xml += name;
    append_attribute(xml, "xmlns", ns::stream_management);
    return xml;
}

void append_number(std::string& xml, std::string_view name,
                   const std::optional<std::uint32_t>& number) {
    if (number) append_attribute(xml, name, std::to_string(*number));
}

std::string resumption_xml(std::string_view name, std::string_view previd, std::uint32_t handled) {
    std::string xml = open_tag(name);
    append_attribute(xml, "previd", previd);
    append_number(xml, "h", handled);
    return xml + "/>";
}

}  // namespace

std::expected<SmElement, StanzaError> parse_sm(const Element& element) {
    const std::string& name = element.name();
    if (name == "r") return SmRequest{};
    if (name == "a") return SmAck{TRY(required_handled(element))};
    if (name == "enable") return parse_enable(element);
    if (name == "enabled") return parse_enabled(element);
    if (name == "resume") return parse_resumption<SmResume>(element);
    if (name == "resumed") return parse_resumption<SmResumed>(element);
    if (name == "failed") return parse_failed(element);
    return std::unexpected(StanzaError::feature_not_implemented());
}

std::string to_xml(const SmEnable& enable) {
    std::string xml = open_tag("enable");
    if (enable.resume) append_attribute(xml, "resume", "true");
    append_number(xml, "max", enable.max_seconds);
    return xml + "/>";
}

std::string to_xml(const SmEnabled& enabled) {
    std::string xml = open_tag("enabled");
    if (!enabled.id.empty()) append_attribute(xml, "id", enabled.id);
    if (enabled.resume) append_attribute(xml, "resume", "true");
    append_number(xml, "max", enabled.max_seconds);
    if (!enabled.location.empty()) append_attribute(xml, "location", enabled.location);
    return xml + "/>";
}

std::string to_xml(const SmResume& resume) {
    return resumption_xml("resume", resume.previd, resume.handled);
}

std::string to_xml(const SmResumed& resumed) {
    return resumption_xml("resumed", resumed.previd, resumed.handled);
}

std::string to_xml(const SmFailed& failed) {
    Element element("failed", ns::stream_management);
    if (failed.handled) element.set_attribute("h", std::to_string(*failed.handled));
    if (failed.condition) element.add_child(name_of(*failed.condition), ns::stanza_errors);
    if (!failed.text.empty())
        element.add(Element("text", ns::stanza_errors, failed.text)).set_lang("en");
    return to_xml(element);
}

std::string failed_xml(StanzaCondition condition, std::string text,
                       std::optional<std::uint32_t> handled) {
    return to_xml(SmFailed{.condition = condition, .handled = handled, .text = std::move(text)});
}

std::string to_xml(const SmAck& ack) {
    std::string xml = open_tag("a");
    append_number(xml, "h", ack.handled);
    return xml + "/>";
}

StreamError handled_count_too_high(const SmTooHigh& error) {
    Element condition("handled-count-too-high", ns::stream_management);
    condition.set_attribute("h", std::to_string(error.handled));
    condition.set_attribute("send-count", std::to_string(error.sent));
    return StreamError(StreamCondition::undefined_condition,
                       "You acknowledged " + std::to_string(error.handled) +
                           " stanzas, but I only sent you " + std::to_string(error.sent) +
                           " so far.")
        .with_app_condition(std::move(condition));
}

}  // namespace xmpp

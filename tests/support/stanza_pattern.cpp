#include "tests/support/stanza_pattern.h"

#include "tests/support/scripted_client.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/xml/parser.h"

#include <algorithm>
#include <cctype>

namespace server::test {
namespace {

using xmpp::Element;

bool is_name_character(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

/// "{capture:name}" and so on at the start of `pattern`, without braces; empty: none there.
std::string_view placeholder_at(std::string_view pattern) {
    if (!pattern.starts_with('{')) return {};
    const std::size_t end = pattern.find('}');
    return end == std::string_view::npos ? std::string_view() : pattern.substr(1, end - 1);
}

bool fits(std::string_view placeholder, const std::string& value, Variables& captured) {
    if (placeholder == "any") return !value.empty();
    if (placeholder == "number")
        return !value.empty() && std::ranges::all_of(value, [](unsigned char letter) {
            return std::isdigit(letter) != 0;
        });
    if (placeholder == "datetime")
        return value.ends_with('Z') && xmpp::parse_date_time(value).has_value();
    constexpr std::string_view kCapture = "capture:";
    if (placeholder.starts_with(kCapture)) {
        captured[std::string(placeholder.substr(kCapture.size()))] = value;
        return !value.empty();
    }
    throw ScriptFailure("unknown wildcard {" + std::string(placeholder) + "}");
}

// Backtracks over the lengths a wildcard may take; patterns have one or two.
bool text_matches(std::string_view pattern, std::string_view text, Variables& captured) {
    if (pattern.empty()) return text.empty();
    const std::string_view placeholder = placeholder_at(pattern);
    if (placeholder.empty())
        return !text.empty() && pattern.front() == text.front() &&
               text_matches(pattern.substr(1), text.substr(1), captured);
    const std::string_view rest = pattern.substr(placeholder.size() + 2);
    for (std::size_t length = text.size() + 1; length-- > 0;) {
        Variables attempt = captured;
        if (!fits(placeholder, std::string(text.substr(0, length)), attempt)) continue;
        if (!text_matches(rest, text.substr(length), attempt)) continue;
        captured = std::move(attempt);
        return true;
    }
    return false;
}

bool asks(const Element& pattern, std::string_view what) {
    return pattern.attribute(what, kPatternNamespace) == "yes";
}

class Comparison {
public:
    explicit Comparison(Variables& variables) : variables_(variables) {}

    std::optional<std::string> compare(const Element& pattern, const Element& actual) {
        const std::string here = "<" + actual.name() + ">";
        if (pattern.name() != actual.name() || pattern.ns() != actual.ns())
            return here + " in " + std::string(actual.ns()) + " instead of <" + pattern.name() +
                   "> in " + std::string(pattern.ns());
        std::optional<std::string> wrong = attributes(pattern, actual);
        if (!wrong) wrong = text(pattern, actual);
        if (!wrong) wrong = children(pattern, actual);
        if (wrong) return here + ": " + *wrong;
        return std::nullopt;
    }

private:
    std::optional<std::string> attributes(const Element& pattern, const Element& actual) {
        for (const xmpp::Attribute& wanted : pattern.attributes()) {
            if (wanted.ns.view() == kPatternNamespace) continue;
            const bool there = actual.has_attribute(wanted.name, wanted.ns.view());
            if (wanted.value == "{absent}") {
                if (there) return wanted.name + " should not be there";
                continue;
            }
            if (!there) return wanted.name + " is missing";
            const std::string_view value = actual.attribute(wanted.name, wanted.ns.view());
            if (!text_matches(substitute(wanted.value, variables_), value, variables_))
                return wanted.name + " is '" + std::string(value) + "' instead of '" +
                       wanted.value + "'";
        }
        return std::nullopt;
    }

    std::optional<std::string> text(const Element& pattern, const Element& actual) {
        const std::string wanted = trimmed(pattern.text());
        if (wanted.empty()) return std::nullopt;
        const std::string value = actual.text();
        const std::string filled = substitute(wanted, variables_);
        if (text_matches(filled, value, variables_) ||
            text_matches(filled, trimmed(value), variables_))
            return std::nullopt;
        return "the text is '" + value + "' instead of '" + wanted + "'";
    }

    std::optional<std::string> children(const Element& pattern, const Element& actual) {
        std::vector<const Element*> left;
        for (const Element& child : actual.children())
            left.push_back(&child);
        for (const Element& wanted : pattern.children())
            if (!asks(wanted, "absent"))
                if (auto wrong = take_child(wanted, left)) return wrong;
        for (const Element& unwanted : pattern.children()) {
            if (!asks(unwanted, "absent")) continue;
            for (const Element* child : left) {
                Variables unused = variables_;
                if (!Comparison(unused).compare(unwanted, *child))
                    return "<" + child->name() + "> should not be there";
            }
        }
        if (asks(pattern, "exact") && !left.empty())
            return "<" + left.front()->name() + "> is one child too many";
        return std::nullopt;
    }

    std::optional<std::string> take_child(const Element& wanted,
                                          std::vector<const Element*>& left) {
        std::string nearest = "<" + wanted.name() + "> is missing";
        for (auto child = left.begin(); child != left.end(); ++child) {
            Variables attempt = variables_;
            const auto wrong = Comparison(attempt).compare(wanted, **child);
            if (!wrong) {
                variables_ = std::move(attempt);
                left.erase(child);
                return std::nullopt;
            }
            if ((*child)->is(wanted.name(), wanted.ns())) nearest = *wrong;
        }
        return nearest;
    }

    Variables& variables_;
};

}  // namespace

std::string substitute(std::string_view text, const Variables& variables) {
    std::string filled;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '$') {
            filled += text[at++];
            continue;
        }
        if (text.substr(at).starts_with("$$")) {
            filled += '$';
            at += 2;
            continue;
        }
        std::size_t end = at + 1;
        while (end < text.size() && is_name_character(text[end]))
            ++end;
        const auto found = variables.find(text.substr(at + 1, end - at - 1));
        if (found == variables.end())
            throw ScriptFailure("nothing was captured as " +
                                std::string(text.substr(at, end - at)));
        filled += found->second;
        at = end;
    }
    return filled;
}

std::vector<Element> parse_elements(std::string_view xml) {
    xmpp::StreamParser parser;
    parser.feed(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        " xmlns:expect='urn:parley:scenario' version='1.0'>");
    parser.feed(xml);
    parser.feed("</stream:stream>");
    std::vector<Element> elements;
    for (;;) {
        xmpp::ParserEvent event = parser.next();
        if (auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
            elements.push_back(std::move(stanza->element));
        } else if (std::holds_alternative<xmpp::StreamClose>(event)) {
            return elements;
        } else if (!std::holds_alternative<xmpp::StreamOpen>(event)) {
            throw ScriptFailure("the XML of this step is not well-formed: " + trimmed(xml));
        }
    }
}

std::optional<std::string> mismatch(const Element& pattern, const Element& actual,
                                    Variables& variables) {
    Variables attempt = variables;
    auto wrong = Comparison(attempt).compare(pattern, actual);
    if (!wrong) variables = std::move(attempt);
    return wrong;
}

}  // namespace server::test

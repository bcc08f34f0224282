// XML text from elements. Escaping copies runs of harmless bytes at once; anything unusual takes
// the slow path one character at a time.
#include "xmpp/xml/writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

enum class Escape : std::uint8_t { none, text_and_attribute, attribute_only, check };

// What to do about each byte. `check`: a control character, or a part of a multi-byte character
// that must be looked at whole.
constexpr auto kEscapes = [] {
    std::array<Escape, 256> table{};
    for (std::size_t byte = 0; byte < 0x20; ++byte)
        table[byte] = Escape::check;
    for (std::size_t byte = 0x80; byte < 0x100; ++byte)
        table[byte] = Escape::check;
    table['\t'] = table['\n'] = Escape::attribute_only;
    table['\''] = table['"'] = Escape::attribute_only;
    table['\r'] = Escape::text_and_attribute;
    table['&'] = table['<'] = table['>'] = Escape::text_and_attribute;
    return table;
}();

template <bool in_attribute>
constexpr auto kHarmless = [] {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte)
        table[byte] = kEscapes[byte] == Escape::none ||
                      (!in_attribute && kEscapes[byte] == Escape::attribute_only);
    return table;
}();

std::string_view reference_for(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '\'':
            return "&apos;";
        case '"':
            return "&quot;";
        case '\t':
            return "&#9;";
        case '\n':
            return "&#10;";
        default:
            return "&#13;";
    }
}

// The length of the well-formed UTF-8 character at the start of `text` if XML 1.0 allows it, else 0
// (Unicode table 3-7, without surrogates, U+FFFE and U+FFFF).
std::size_t xml_character_length(std::string_view text) {
    const auto at = [text](std::size_t index) {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0u;
    };
    const auto continues = [&](std::size_t index) { return (at(index) & 0xC0u) == 0x80u; };
    const unsigned lead = at(0);
    if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (!continues(1) || !continues(2)) return 0;
        if (lead == 0xE0 && at(1) < 0xA0) return 0;
        if (lead == 0xED && at(1) > 0x9F) return 0;
        if (lead == 0xEF && at(1) == 0xBF && at(2) >= 0xBE) return 0;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (lead == 0xF0 && at(1) < 0x90) return 0;
        if (lead == 0xF4 && at(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

template <bool in_attribute>
void append_escaped(std::string& out, std::string_view text) {
    std::size_t clean = 0;  // Start of the run that is copied as it is.
    std::size_t index = 0;
    const auto flush = [&] { out.append(text, clean, index - clean); };
    while (index < text.size()) {
        while (index < text.size() &&
               kHarmless<in_attribute>[static_cast<unsigned char>(text[index])])
            ++index;
        if (index == text.size()) break;
        if (kEscapes[static_cast<unsigned char>(text[index])] == Escape::check) {
            if (const std::size_t length = xml_character_length(text.substr(index))) {
                index += length;
                continue;
            }
            flush();
            out += kReplacement;
        } else {
            flush();
            out += reference_for(text[index]);
        }
        clean = ++index;
    }
    flush();
}

void append_namespaced_attribute(std::string& out, const Attribute& attribute, std::size_t number) {
    std::string prefix = "ns";
    prefix += std::to_string(number);
    append_attribute(out, "xmlns:" + prefix, attribute.ns.view());
    append_attribute(out, prefix + ":" + attribute.name, attribute.value);
}

// The xml namespace must not be declared as default: its elements keep their prefix, and what was
// the default namespace around them stays it inside them.
std::string_view default_ns_inside(const Element& element, std::string_view inherited_default_ns) {
    return element.ns() == ns::xml ? inherited_default_ns : element.ns();
}

void append_name(std::string& out, const Element& element) {
    if (element.ns() == ns::xml) out += "xml:";
    out += element.name();
}

void append_end_tag(std::string& out, const Element& element) {
    out += "</";
    append_name(out, element);
    out += '>';
}

// Everything inside `element`, where `default_ns` is in force.
void append_content(std::string& out, const Element& element, std::string_view default_ns) {
    struct Level {
        const Element* element;
        NodeRange::iterator next;
        std::string_view default_ns;
    };
    std::vector<Level> open;
    Level at{&element, element.nodes().begin(), default_ns};
    while (true) {
        if (at.next == NodeRange::iterator()) {
            if (open.empty()) return;
            append_end_tag(out, *at.element);
            at = open.back();
            open.pop_back();
            continue;
        }
        const NodeView node = *at.next;
        ++at.next;
        if (node.element == nullptr) {
            append_escaped_text(out, node.text);
            continue;
        }
        append_start_tag(out, *node.element, at.default_ns);
        if (node.element->has_no_content()) {
            out += "/>";
            continue;
        }
        out += '>';
        open.push_back(at);
        at = {node.element, node.element->nodes().begin(),
              default_ns_inside(*node.element, at.default_ns)};
    }
}

}  // namespace

void append_escaped_text(std::string& out, std::string_view text) {
    append_escaped<false>(out, text);
}

void append_escaped_attribute(std::string& out, std::string_view value) {
    append_escaped<true>(out, value);
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
    out += ' ';
    out += name;
    out += "='";
    append_escaped_attribute(out, value);
    out += '\'';
}

void append_start_tag(std::string& out, const Element& element,
                      std::string_view inherited_default_ns, std::string_view replaced_attribute,
                      std::string_view replacement) {
    out += '<';
    append_name(out, element);
    if (default_ns_inside(element, inherited_default_ns) != inherited_default_ns) {
        append_attribute(out, "xmlns", element.ns());
    }
    std::size_t number = 0;
    bool replaced = replaced_attribute.empty();
    for (const Attribute& attribute : element.attributes()) {
        const std::string_view attribute_ns = attribute.ns.view();
        if (attribute_ns.empty()) {
            const bool replace = !replaced && attribute.name == replaced_attribute;
            append_attribute(out, attribute.name,
                             replace ? replacement : std::string_view(attribute.value));
            replaced = replaced || replace;
        } else if (attribute_ns == ns::xml) {
            out += " xml:";
            out += attribute.name;
            out += "='";
            append_escaped_attribute(out, attribute.value);
            out += '\'';
        } else {
            append_namespaced_attribute(out, attribute, number++);
        }
    }
    if (!replaced) append_attribute(out, replaced_attribute, replacement);
}

void append_inner_xml(std::string& out, const Element& element) {
    append_content(out, element, element.ns());
}

void append_xml(std::string& out, const Element& element, std::string_view inherited_default_ns) {
    append_start_tag(out, element, inherited_default_ns);
    if (element.has_no_content()) {
        out += "/>";
        return;
    }
    out += '>';
    append_content(out, element, default_ns_inside(element, inherited_default_ns));
    append_end_tag(out, element);
}

std::string to_xml(const Element& element, std::string_view inherited_default_ns) {
    std::string out;
    append_xml(out, element, inherited_default_ns);
    return out;
}

}  // namespace xmpp

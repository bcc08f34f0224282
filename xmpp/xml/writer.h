// Elements to XML text. Output is well-formed whatever the tree holds: characters that XML 1.0
// forbids and malformed UTF-8 are replaced by U+FFFD, and white space in attributes that a reader
// would normalise is written as character references.
#pragma once

#include "xmpp/core/element.h"

#include <string>
#include <string_view>

namespace xmpp {

/// Appends `element`. `inherited_default_ns` is the default namespace in force where it will stand
/// (the stream's content namespace for a stanza); xmlns is written only where it changes.
/// Attributes with a namespace get generated prefixes; "xml:" is used as it is.
void append_xml(std::string& out, const Element& element,
                std::string_view inherited_default_ns = {});
std::string to_xml(const Element& element, std::string_view inherited_default_ns = {});

/// Appends only the children and text of `element`, for its own namespace as inherited default.
void append_inner_xml(std::string& out, const Element& element);

/// Appends `<name xmlns='…' a='…'` without the closing '>' or '/>'. `replaced_attribute`, when not
/// empty, names an attribute without namespace that is written with `replacement` instead of its
/// own value (and added when absent).
void append_start_tag(std::string& out, const Element& element,
                      std::string_view inherited_default_ns,
                      std::string_view replaced_attribute = {}, std::string_view replacement = {});

/// Escapes & < > and CR.
void append_escaped_text(std::string& out, std::string_view text);
/// Escapes for a value in single or double quotes, tab, LF and CR as references.
void append_escaped_attribute(std::string& out, std::string_view value);
/// ` name='value'`, escaped.
void append_attribute(std::string& out, std::string_view name, std::string_view value);

}  // namespace xmpp

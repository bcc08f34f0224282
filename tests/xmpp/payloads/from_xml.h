// An element from its text, through the real parser; the default namespace is jabber:client.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "xmpp/core/element.h"
#include "xmpp/xml/parser.h"

namespace xmpp::testing {

inline Element from_xml(std::string_view xml) {
    StreamParser parser;
    parser.feed(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "version='1.0'>");
    EXPECT_TRUE(std::holds_alternative<StreamOpen>(parser.next()));
    parser.feed(xml);
    ParserEvent event = parser.next();
    if (auto* stanza = std::get_if<StanzaElement>(&event)) return std::move(stanza->element);
    ADD_FAILURE() << "not one element: " << xml;
    return Element();
}

}  // namespace xmpp::testing

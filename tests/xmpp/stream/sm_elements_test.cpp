#include "xmpp/stream/sm_elements.h"

#include <gtest/gtest.h>

#include <string>

#include "xmpp/xml/read_stanza.h"

namespace xmpp {
namespace {

Element sm(const std::string& tag) {
    auto element = read_element("<" + tag.substr(0, tag.find_first_of(" />")) +
                                " xmlns='urn:xmpp:sm:3'" + tag.substr(tag.find_first_of(" />")));
    EXPECT_TRUE(element) << tag;
    return element.value_or(Element("none", ns::stream_management));
}

template <class T>
T parsed(const std::string& tag) {
    const auto element = parse_sm(sm(tag));
    EXPECT_TRUE(element) << tag << ": " << (element ? "" : element.error().text());
    if (element && std::holds_alternative<T>(*element)) return std::get<T>(*element);
    ADD_FAILURE() << tag << " reads as something else";
    return T{};
}

std::string refusal(const std::string& tag) {
    const auto element = parse_sm(sm(tag));
    return element
               ? "none"
               : std::string(name_of(element.error().condition())) + ": " + element.error().text();
}

TEST(SmElements, reads_enable) {
    EXPECT_EQ(parsed<SmEnable>("enable/>"), SmEnable{});
    EXPECT_EQ(parsed<SmEnable>("enable resume='true' max='300'/>"), (SmEnable{true, 300}));
    EXPECT_EQ(parsed<SmEnable>("enable resume='1'/>"), SmEnable{true});
    EXPECT_EQ(parsed<SmEnable>("enable resume='0'/>"), SmEnable{false});
    EXPECT_EQ(refusal("enable resume='yes'/>"), "bad-request: <enable/> needs a valid 'resume'");
    EXPECT_EQ(refusal("enable resume=''/>"), "bad-request: <enable/> needs a valid 'resume'");
    EXPECT_EQ(refusal("enable max='0'/>"), "bad-request: <enable/> needs a valid 'max'");
    EXPECT_EQ(refusal("enable max='-1'/>"), "bad-request: <enable/> needs a valid 'max'");
    EXPECT_EQ(refusal("enable max=''/>"), "bad-request: <enable/> needs a valid 'max'");
    EXPECT_EQ(parsed<SmEnable>("enable max='4294967296'/>"), (SmEnable{false, 4'294'967'295U}));
}

TEST(SmElements, reads_enabled) {
    EXPECT_EQ(parsed<SmEnabled>("enabled/>"), SmEnabled{});
    EXPECT_EQ(
        parsed<SmEnabled>("enabled id='x' resume='1' max='60' location='[2001:db8::1]:9222'/>"),
        (SmEnabled{"x", true, 60, "[2001:db8::1]:9222"}));
    EXPECT_EQ(parsed<SmEnabled>("enabled id='x'/>"), SmEnabled{"x"});
    EXPECT_EQ(refusal("enabled resume='true'/>"), "bad-request: <enabled/> needs a valid 'id'");
    EXPECT_EQ(refusal("enabled id='" + std::string(4001, 'x') + "'/>"),
              "bad-request: <enabled/> needs a valid 'id'");
    EXPECT_EQ(parsed<SmEnabled>("enabled id='" + std::string(4000, 'x') + "'/>").id.size(), 4000u);
}

TEST(SmElements, reads_a_resumption) {
    EXPECT_EQ(parsed<SmResume>("resume previd='x' h='7'/>"), (SmResume{"x", 7}));
    EXPECT_EQ(parsed<SmResumed>("resumed previd='x' h='4294967295'/>"),
              (SmResumed{"x", 4294967295}));
    EXPECT_EQ(refusal("resume previd='x'/>"), "bad-request: <resume/> needs a valid 'h'");
    EXPECT_EQ(refusal("resume h='x' previd='" + std::string(100, 'x') + "'/>"),
              "bad-request: <resume/> needs a valid 'h'");
    EXPECT_EQ(refusal("resume h='1'/>"), "bad-request: <resume/> needs a valid 'previd'");
    EXPECT_EQ(refusal("resumed previd='x' h='4294967296'/>"),
              "bad-request: <resumed/> needs a valid 'h'");
}

TEST(SmElements, reads_acknowledgements) {
    EXPECT_EQ(parsed<SmRequest>("r/>"), SmRequest{});
    EXPECT_EQ(parsed<SmAck>("a h='0'/>"), SmAck{0});
    for (const char* tag : {"a/>", "a h=''/>", "a h='-1'/>", "a h='1x'/>", "a h='+1'/>"})
        EXPECT_EQ(refusal(tag), "bad-request: <a/> needs a valid 'h'") << tag;
}

TEST(SmElements, reads_failed) {
    EXPECT_EQ(parsed<SmFailed>("failed/>"), SmFailed{});
    const SmFailed failed = parsed<SmFailed>(
        "failed h='3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>gone</text></failed>");
    EXPECT_EQ(failed, (SmFailed{StanzaCondition::item_not_found, 3, "gone"}));
    EXPECT_EQ(refusal("failed h='x'/>"), "bad-request: <failed/> needs a valid 'h'");
}

TEST(SmElements, refuses_unknown_ones) {
    EXPECT_EQ(refusal("throttle/>"), "feature-not-implemented: ");
}

TEST(SmElements, writes_what_it_reads) {
    const auto again = [](const auto& element) {
        const auto read = read_element(to_xml(element));
        EXPECT_TRUE(read) << to_xml(element);
        const auto back = parse_sm(*read);
        EXPECT_TRUE(back);
        EXPECT_EQ(std::get<std::decay_t<decltype(element)>>(*back), element);
    };
    again(SmEnable{});
    again(SmEnable{true, 10});
    again(SmEnabled{"a'<&>\"b", true, 10, "[::1]:5222"});
    again(SmEnabled{});
    again(SmResume{"x", 1});
    again(SmResumed{"x", 4294967295});
    again(SmFailed{});
    again(SmFailed{StanzaCondition::unexpected_request, 9, "too early"});
    again(SmAck{5});
    EXPECT_EQ(to_xml(SmAck{5}), "<a xmlns='urn:xmpp:sm:3' h='5'/>");
    EXPECT_EQ(kSmRequestXml, "<r xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(to_xml(SmEnable{true}), "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
}

// XEP-0198 §6, the example.
TEST(SmElements, says_which_count_was_too_high) {
    EXPECT_EQ(handled_count_too_high({.handled = 10, .sent = 8}).to_xml(),
              "<stream:error><undefined-condition "
              "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>"
              "You acknowledged 10 stanzas, but I only sent you 8 so far.</text>"
              "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='10' send-count='8'/>"
              "</stream:error>");
}

}  // namespace
}  // namespace xmpp

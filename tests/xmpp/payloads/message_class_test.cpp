#include "xmpp/payloads/message_class.h"

#include "from_xml.h"
#include "xmpp/payloads/carbon.h"

#include <string>
#include <string_view>
#include <vector>

namespace xmpp {
namespace {

using testing::from_xml;

Stanza stanza(std::string_view xml) {
    auto read = Stanza::from_element(from_xml(xml));
    EXPECT_TRUE(read) << xml;
    return *std::move(read);
}

Stanza message(std::string_view type, std::string_view content,
               std::string_view from = "romeo@example.org/orchard") {
    std::string xml = "<message from='" + std::string(from) + "' to='juliet@example.net' type='" +
                      std::string(type) + "'>" + std::string(content) + "</message>";
    return stanza(xml);
}

constexpr std::string_view kBody = "<body>hi</body>";
constexpr std::string_view kComposing =
    "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
constexpr std::string_view kStore = "<store xmlns='urn:xmpp:hints'/>";
constexpr std::string_view kNoStore = "<no-store xmlns='urn:xmpp:hints'/>";
constexpr std::string_view kNoPermanentStore = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
constexpr std::string_view kNoCopy = "<no-copy xmlns='urn:xmpp:hints'/>";
constexpr std::string_view kPrivate = "<private xmlns='urn:xmpp:carbons:2'/>";
constexpr std::string_view kReceived = "<received xmlns='urn:xmpp:receipts' id='1'/>";
constexpr std::string_view kDisplayed = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>";
constexpr std::string_view kMarkable = "<markable xmlns='urn:xmpp:chat-markers:0'/>";
constexpr std::string_view kRoom = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
constexpr std::string_view kRoomNotice =
    "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' "
    "jid='juliet@example.net' role='none'/></x>";
constexpr std::string_view kDeclined =
    "<x xmlns='http://jabber.org/protocol/muc#user'><decline from='juliet@example.net'/></x>";
constexpr std::string_view kMediated =
    "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='juliet@example.net'/></x>";
constexpr std::string_view kDirect = "<x xmlns='jabber:x:conference' jid='r@rooms.example'/>";
constexpr std::string_view kPropose =
    "<propose xmlns='urn:xmpp:jingle-message:0' id='a'><description "
    "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>";
constexpr std::string_view kEvent =
    "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='mood'/></event>";
constexpr std::string_view kUnknown = "<thing xmlns='urn:example:thing'/>";

// What lasts without a body.
const std::vector<std::string_view> kLasting = {
    kReceived,
    "<request xmlns='urn:xmpp:receipts'/>",
    kDisplayed,
    "<subject>about</subject>",
    "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>",
    "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
    "<encrypted xmlns='urn:xmpp:omemo:2'/>",
    "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
    "<x xmlns='jabber:x:encrypted'>x</x>",
    "<x xmlns='jabber:x:oob'><url>https://example.org/1</url></x>",
    "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
    "<invite xmlns='urn:xmpp:call-invites:0'/>",
    "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
    "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
    "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>",
    "<apply-to xmlns='urn:xmpp:fasten:0' id='1'/>",
    kPropose,
    kDirect,
    kMediated,
};

std::string both(std::string_view one, std::string_view other) {
    return std::string(one) + std::string(other);
}

Stanza copy_of(const Stanza& original) {
    Stanza copy = carbon_copy(CarbonDirection::received, original, *Jid::parse("j@example.net"));
    copy.set_to(*Jid::parse("j@example.net/x"));
    return copy;
}

TEST(MessageClass, archives_conversation) {
    EXPECT_TRUE(is_worth_archiving(message("chat", kBody)));
    EXPECT_TRUE(is_worth_archiving(message("normal", kBody)));
    EXPECT_TRUE(is_worth_archiving(stanza("<message><body/></message>")));
    for (const std::string_view content : kLasting) {
        EXPECT_TRUE(is_worth_archiving(message("chat", content))) << content;
        EXPECT_TRUE(is_worth_archiving(message("normal", content))) << content;
    }
}

TEST(MessageClass, does_not_archive_what_passes) {
    EXPECT_FALSE(is_worth_archiving(message("chat", "")));
    EXPECT_FALSE(is_worth_archiving(message("chat", kComposing)));
    EXPECT_FALSE(is_worth_archiving(message("chat", both(kComposing, "<thread>t</thread>"))));
    EXPECT_FALSE(is_worth_archiving(message("chat", kMarkable)));
    EXPECT_FALSE(is_worth_archiving(message("chat", kUnknown)));
    EXPECT_FALSE(is_worth_archiving(message("headline", kBody)));
    EXPECT_FALSE(is_worth_archiving(message("headline", kEvent)));
    EXPECT_FALSE(is_worth_archiving(message("error", kBody)));
    EXPECT_FALSE(is_worth_archiving(message("groupchat", kBody)));
    EXPECT_FALSE(is_worth_archiving(copy_of(message("chat", kBody))));
    EXPECT_FALSE(is_worth_archiving(message("chat", "<result xmlns='urn:xmpp:mam:2'/>")));
}

TEST(MessageClass, obeys_storage_hints_of_the_sender) {
    EXPECT_FALSE(is_worth_archiving(message("chat", both(kBody, kNoStore))));
    EXPECT_FALSE(is_worth_archiving(message("chat", both(kBody, kNoPermanentStore))));
    EXPECT_FALSE(is_worth_archiving(message("chat", both(kStore, kNoStore))));
    EXPECT_TRUE(is_worth_archiving(message("chat", both(kUnknown, kStore))));
    EXPECT_TRUE(is_worth_archiving(message("headline", both(kUnknown, kStore))));
    EXPECT_FALSE(is_worth_archiving(message("error", both(kUnknown, kStore))));
    EXPECT_FALSE(is_worth_archiving(message("groupchat", both(kUnknown, kStore))));
    EXPECT_TRUE(is_worth_archiving(message("chat", both(kBody, kNoCopy))));
}

TEST(MessageClass, archives_in_rooms_what_is_said_to_all) {
    EXPECT_TRUE(is_worth_archiving_in_room(message("groupchat", kBody)));
    EXPECT_TRUE(is_worth_archiving_in_room(message("groupchat", "<subject>s</subject>")));
    EXPECT_FALSE(is_worth_archiving_in_room(message("groupchat", kComposing)));
    EXPECT_FALSE(is_worth_archiving_in_room(message("groupchat", both(kBody, kNoStore))));
    EXPECT_FALSE(is_worth_archiving_in_room(message("chat", kBody)));
}

TEST(MessageClass, keeps_for_somebody_who_is_away) {
    EXPECT_TRUE(is_worth_keeping_offline(message("chat", kBody)));
    EXPECT_TRUE(is_worth_keeping_offline(message("normal", kUnknown)));
    EXPECT_TRUE(is_worth_keeping_offline(message("chat", kMarkable)));
    EXPECT_TRUE(is_worth_keeping_offline(message("chat", both(kComposing, kStore))));
    EXPECT_TRUE(is_worth_keeping_offline(message("chat", both(kBody, kNoPermanentStore))));
    for (const std::string_view content : kLasting)
        EXPECT_TRUE(is_worth_keeping_offline(message("chat", content))) << content;

    EXPECT_FALSE(is_worth_keeping_offline(message("chat", kComposing)));
    EXPECT_FALSE(is_worth_keeping_offline(message("normal", both(kComposing, kNoCopy))));
    EXPECT_FALSE(is_worth_keeping_offline(message("chat", "")));
    EXPECT_FALSE(is_worth_keeping_offline(message("normal", kRoomNotice)));
    EXPECT_TRUE(is_worth_keeping_offline(message("normal", kDeclined)));
    EXPECT_FALSE(is_worth_keeping_offline(message("chat", both(kBody, kNoStore))));
    EXPECT_FALSE(is_worth_keeping_offline(copy_of(message("chat", kBody))));
    for (const std::string_view type : {"groupchat", "headline", "error"})
        EXPECT_FALSE(is_worth_keeping_offline(message(type, kBody))) << type;
}

TEST(MessageClass, knows_a_chat_state_alone) {
    EXPECT_TRUE(is_only_chat_state(message("chat", kComposing)));
    EXPECT_TRUE(is_only_chat_state(message("groupchat", kComposing)));
    EXPECT_TRUE(is_only_chat_state(message("chat", both(kComposing, kNoStore))));
    EXPECT_TRUE(is_only_chat_state(
        message("chat", both(kComposing,
                             "<thread>t</thread><origin-id xmlns='urn:xmpp:sid:0' "
                             "id='1'/><x xmlns='http://jabber.org/protocol/"
                             "muc#user'/>"))));
    EXPECT_TRUE(is_only_chat_state(copy_of(message("chat", kComposing))));

    EXPECT_FALSE(is_only_chat_state(message("chat", "")));
    EXPECT_FALSE(is_only_chat_state(message("chat", both(kComposing, kBody))));
    EXPECT_FALSE(is_only_chat_state(message("chat", both(kComposing, kReceived))));
    EXPECT_FALSE(is_only_chat_state(message("chat", both(kComposing, kUnknown))));
    EXPECT_FALSE(is_only_chat_state(message("chat", both(kComposing, kStore))));
    EXPECT_FALSE(is_only_chat_state(message("error", kComposing)));
    EXPECT_FALSE(is_only_chat_state(copy_of(message("chat", kBody))));
}

TEST(MessageClass, copies_what_xep_0280_calls_eligible) {
    for (const bool inbound : {false, true}) {
        EXPECT_EQ(carbon_rule(message("chat", ""), inbound), CarbonRule::yes);
        EXPECT_EQ(carbon_rule(message("chat", kComposing), inbound), CarbonRule::yes);
        EXPECT_EQ(carbon_rule(message("chat", kPropose), inbound), CarbonRule::yes);
        EXPECT_EQ(carbon_rule(message("normal", kBody), inbound), CarbonRule::yes);
        for (const std::string_view type : {"normal", "headline"})
            for (const std::string_view content : {kReceived, kDisplayed, kMarkable, kComposing})
                EXPECT_EQ(carbon_rule(message(type, content), inbound), CarbonRule::yes) << content;
        EXPECT_EQ(carbon_rule(message("normal", kDirect), inbound), CarbonRule::yes);
        EXPECT_EQ(carbon_rule(message("normal", kMediated), inbound), CarbonRule::yes);
        EXPECT_EQ(carbon_rule(message("error", kBody), inbound), CarbonRule::as_answered);
    }
}

TEST(MessageClass, does_not_copy_anything_else) {
    for (const bool inbound : {false, true}) {
        EXPECT_EQ(carbon_rule(message("normal", ""), inbound), CarbonRule::no);
        EXPECT_EQ(carbon_rule(message("normal", kUnknown), inbound), CarbonRule::no);
        EXPECT_EQ(carbon_rule(message("headline", kBody), inbound), CarbonRule::no);
        EXPECT_EQ(carbon_rule(message("groupchat", both(kBody, kReceived)), inbound),
                  CarbonRule::no);
        EXPECT_EQ(carbon_rule(message("chat", both(kBody, kPrivate)), inbound), CarbonRule::no);
        EXPECT_EQ(carbon_rule(message("chat", both(kBody, kNoCopy)), inbound), CarbonRule::no);
        EXPECT_EQ(carbon_rule(copy_of(message("chat", kBody)), inbound), CarbonRule::no);
    }
}

TEST(MessageClass, reads_no_hints_in_errors_but_private) {
    EXPECT_EQ(carbon_rule(message("error", both(kBody, kNoCopy)), true), CarbonRule::as_answered);
    EXPECT_EQ(carbon_rule(message("error", both(kBody, kPrivate)), true), CarbonRule::no);
}

TEST(MessageClass, leaves_private_messages_of_rooms_to_the_rooms) {
    const std::string content = both(kBody, kRoom);
    const Stanza from_occupant = message("chat", content, "r@rooms.example/nick");
    EXPECT_EQ(carbon_rule(from_occupant, true), CarbonRule::no);
    EXPECT_EQ(carbon_rule(message("chat", content), false), CarbonRule::yes);
    // The room itself, and an invitation by whomever.
    EXPECT_EQ(carbon_rule(message("chat", content, "r@rooms.example"), true), CarbonRule::yes);
    EXPECT_EQ(carbon_rule(message("normal", kMediated, "r@rooms.example"), true), CarbonRule::yes);
    EXPECT_EQ(carbon_rule(message("chat", both(kRoom, kDirect), "r@rooms.example/nick"), true),
              CarbonRule::yes);
}

TEST(MessageClass, lets_an_inactive_client_wait_for_presence) {
    EXPECT_EQ(urgency_of(stanza("<presence from='a@x/y'/>")), Urgency::later);
    EXPECT_EQ(urgency_of(stanza("<presence type='unavailable'/>")), Urgency::later);
    for (const std::string_view type :
         {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"})
        EXPECT_EQ(urgency_of(stanza("<presence type='" + std::string(type) + "'/>")), Urgency::now);
    EXPECT_EQ(urgency_of(stanza("<presence><x xmlns='http://jabber.org/protocol/muc#user'><status "
                                "code='100'/></x></presence>")),
              Urgency::later);
    EXPECT_EQ(urgency_of(stanza("<presence><x xmlns='http://jabber.org/protocol/muc#user'><status "
                                "code='100'/><status code='110'/></x></presence>")),
              Urgency::now);
}

TEST(MessageClass, tells_an_inactive_client_at_once_what_matters) {
    EXPECT_EQ(urgency_of(stanza("<iq type='get' id='1'><q xmlns='x'/></iq>")), Urgency::now);
    EXPECT_EQ(urgency_of(message("chat", kBody)), Urgency::now);
    EXPECT_EQ(urgency_of(message("groupchat", kBody)), Urgency::now);
    EXPECT_EQ(urgency_of(message("chat", kReceived)), Urgency::now);
    EXPECT_EQ(urgency_of(message("chat", both(kComposing, kReceived))), Urgency::now);
    EXPECT_EQ(urgency_of(message("chat", kPropose)), Urgency::now);
    EXPECT_EQ(urgency_of(message("normal", kUnknown)), Urgency::now);
    EXPECT_EQ(urgency_of(message("error", kComposing)), Urgency::now);
    EXPECT_EQ(urgency_of(copy_of(message("chat", kBody))), Urgency::now);
    EXPECT_EQ(urgency_of(message("headline", kBody)), Urgency::now);
    EXPECT_EQ(urgency_of(message("headline", both(kEvent, kBody))), Urgency::now);

    EXPECT_EQ(urgency_of(message("headline", kEvent)), Urgency::later);
    EXPECT_EQ(urgency_of(message("chat", kComposing)), Urgency::never);
    EXPECT_EQ(urgency_of(copy_of(message("chat", kComposing))), Urgency::never);
}

}  // namespace
}  // namespace xmpp

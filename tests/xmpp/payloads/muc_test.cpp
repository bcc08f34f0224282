// Elements of XEP-0045: what the examples of the specification say, and what is none.
#include "xmpp/payloads/muc.h"
#include "xmpp/payloads/muc_requests.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

Element element(std::string_view xml) {
    auto read = read_element(xml);
    EXPECT_TRUE(read.has_value()) << xml;
    return read ? *std::move(read) : Element("none", "none");
}

Element admin(std::string_view items) {
    return element("<query xmlns='http://jabber.org/protocol/muc#admin'>" + std::string(items) +
                   "</query>");
}
Element owner(std::string_view content) {
    return element("<query xmlns='http://jabber.org/protocol/muc#owner'>" + std::string(content) +
                   "</query>");
}
Stanza message(std::string_view content) {
    return *read_stanza(
        "<message to='coven@chat.shakespeare.lit'><x "
        "xmlns='http://jabber.org/protocol/muc#user'>" +
        std::string(content) + "</x></message>");
}
StanzaCondition refusal(const auto& result) {
    EXPECT_FALSE(result.has_value());
    return result ? StanzaCondition::undefined_condition : result.error().condition();
}

TEST(MucTerms, have_the_names_of_the_schema) {
    for (const auto* name : {"outcast", "none", "member", "admin", "owner"})
        EXPECT_EQ(name_of(*parse_muc_affiliation(name)), name);
    for (const auto* name : {"none", "visitor", "participant", "moderator"})
        EXPECT_EQ(name_of(*parse_muc_role(name)), name);
    EXPECT_FALSE(parse_muc_affiliation("Owner"));
    EXPECT_FALSE(parse_muc_role(""));
}

TEST(MucUser, is_written_with_its_item_and_codes_in_order) {
    const Element x = muc_user_element({.affiliation = MucAffiliation::none,
                                        .role = MucRole::none,
                                        .jid = "hag66@shakespeare.lit/pda",
                                        .nick = "oldhag",
                                        .reason = "Avaunt, you cullion!",
                                        .actor_nick = "Fluellen"},
                                       {MucStatus::kicked, MucStatus::self});
    EXPECT_EQ(to_xml(x),
              "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' "
              "jid='hag66@shakespeare.lit/pda' nick='oldhag' role='none'><actor "
              "nick='Fluellen'/><reason>Avaunt, you cullion!</reason></item><status "
              "code='110'/><status code='307'/></x>");
    EXPECT_EQ(to_xml(muc_status_element({MucStatus::configuration_changed})),
              "<x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x>");
}

TEST(MucUser, says_where_a_destroyed_room_goes_on) {
    const MucDestroy destroy{.venue = *Jid::parse("coven@chat.shakespeare.lit"),
                             .password = "cauldronburn",
                             .reason = "Macbeth doth come."};
    EXPECT_EQ(to_xml(destroy.to_element()),
              "<destroy xmlns='http://jabber.org/protocol/muc#user' "
              "jid='coven@chat.shakespeare.lit'><password>cauldronburn</password>"
              "<reason>Macbeth doth come.</reason></destroy>");
}

TEST(MucJoin, reads_a_password_and_limits_of_the_history) {
    const MucJoin join = MucJoin::parse(
        element("<x xmlns='http://jabber.org/protocol/muc'><password>cauldronburn</password>"
                "<history maxchars='65000' maxstanzas='20' seconds='180' "
                "since='1970-01-01T00:00:00Z'/></x>"));
    EXPECT_EQ(join.password, "cauldronburn");
    EXPECT_EQ(join.history.characters, 65000U);
    EXPECT_EQ(join.history.stanzas, 20U);
    EXPECT_EQ(join.history.seconds, 180U);
    EXPECT_EQ(join.history.since, base::WallTime{0});
    EXPECT_FALSE(MucJoin::parse(element("<x xmlns='http://jabber.org/protocol/muc'/>")).password);
}

TEST(MucJoin, ignores_limits_that_make_no_sense) {
    const MucJoin join =
        MucJoin::parse(element("<x xmlns='http://jabber.org/protocol/muc'><history maxchars='-1' "
                               "maxstanzas='many' seconds='' since='yesterday'/></x>"));
    EXPECT_FALSE(join.history.characters);
    EXPECT_FALSE(join.history.stanzas);
    EXPECT_FALSE(join.history.seconds);
    EXPECT_FALSE(join.history.since);
    const MucJoin huge = MucJoin::parse(
        element("<x xmlns='http://jabber.org/protocol/muc'><history maxchars='99999999999'/></x>"));
    EXPECT_EQ(huge.history.characters, 4'294'967'295U);
}

TEST(MucList, names_one_affiliation_or_one_role) {
    EXPECT_EQ(std::get<MucAffiliation>(*parse_muc_list(admin("<item affiliation='outcast'/>"))),
              MucAffiliation::outcast);
    EXPECT_EQ(std::get<MucRole>(*parse_muc_list(admin("<item role='moderator'/>"))),
              MucRole::moderator);
    for (const auto* items : {"", "<item/>", "<item affiliation='none'/>", "<item role='none'/>",
                              "<item role='king'/>", "<item affiliation='member' role='visitor'/>",
                              "<item affiliation='member'/><item affiliation='owner'/>"})
        EXPECT_EQ(refusal(parse_muc_list(admin(items))), StanzaCondition::bad_request) << items;
}

TEST(MucChanges, are_of_affiliations_by_address_and_of_roles_by_nick) {
    const auto changes = parse_muc_changes(
        admin("<item affiliation='outcast' jid='earlofcambridge@shakespeare.lit'><reason>Treason"
              "</reason></item><item nick='pistol' role='none'/><item affiliation='member' "
              "jid='hag66@shakespeare.lit' nick=''/>"));
    ASSERT_TRUE(changes);
    ASSERT_EQ(changes->size(), 3U);
    EXPECT_EQ((*changes)[0].affiliation, MucAffiliation::outcast);
    EXPECT_EQ((*changes)[0].reason, "Treason");
    EXPECT_FALSE((*changes)[0].nick);
    EXPECT_EQ((*changes)[1].role, MucRole::none);
    EXPECT_EQ((*changes)[1].nick, "pistol");
    EXPECT_EQ((*changes)[2].nick, "");
}

TEST(MucChanges, are_refused_past_their_number) {
    std::string items;
    for (std::size_t i = 0; i < kMucItemsMax; ++i)
        items += "<item nick='n' role='none'/>";
    EXPECT_TRUE(parse_muc_changes(admin(items)));
    EXPECT_EQ(refusal(parse_muc_changes(admin(items + "<item nick='n' role='none'/>"))),
              StanzaCondition::policy_violation);
}

TEST(MucChanges, have_reasons_that_are_cut_between_characters) {
    const std::string reason = std::string(kMucReasonBytesMax - 1, 'x') + "\xC3\xA9";
    const auto changes = parse_muc_changes(
        admin("<item nick='n' role='none'><reason>" + reason + "</reason></item>"));
    EXPECT_EQ(changes->at(0).reason, std::string(kMucReasonBytesMax - 1, 'x'));
}

TEST(MucOwnerSet, configures_cancels_or_destroys) {
    EXPECT_TRUE(std::holds_alternative<MucConfigure>(
        *parse_muc_owner_set(owner("<x xmlns='jabber:x:data' type='submit'/>"))));
    EXPECT_TRUE(std::holds_alternative<MucCancel>(
        *parse_muc_owner_set(owner("<x xmlns='jabber:x:data' type='cancel'/>"))));
    const auto destroy = parse_muc_owner_set(
        owner("<destroy jid='coven@chat.shakespeare.lit'><reason>Macbeth doth come.</reason>"
              "<password>p</password></destroy>"));
    EXPECT_EQ(std::get<MucDestroy>(*destroy).venue, *Jid::parse("coven@chat.shakespeare.lit"));
    EXPECT_EQ(std::get<MucDestroy>(*destroy).reason, "Macbeth doth come.");
    EXPECT_EQ(std::get<MucDestroy>(*destroy).password, "p");
    for (const auto* content : {"", "<x xmlns='jabber:x:data'/>", "<other/>",
                                "<destroy/><destroy/>", "<x xmlns='jabber:x:data' type='form'/>"})
        EXPECT_EQ(refusal(parse_muc_owner_set(owner(content))), StanzaCondition::bad_request)
            << content;
    EXPECT_EQ(refusal(parse_muc_owner_set(owner("<destroy jid='@'/>"))),
              StanzaCondition::jid_malformed);
}

TEST(MucMediated, is_an_invitation_or_a_refusal) {
    const auto invited = parse_muc_mediated(
        message("<invite to='wiccarocks@shakespeare.lit/laptop'><reason>r</reason><continue "
                "thread='e0ffe42b'/></invite><invite to='hag66@shakespeare.lit'/>"));
    ASSERT_TRUE(invited && *invited);
    ASSERT_EQ((*invited)->invites.size(), 2U);
    EXPECT_TRUE((*invited)->invites[0].continues);
    EXPECT_EQ((*invited)->invites[0].thread, "e0ffe42b");
    EXPECT_FALSE((*invited)->invites[1].continues);
    const auto declined =
        parse_muc_mediated(message("<decline to='crone1@shakespeare.lit'><reason>r</reason>"
                                   "</decline>"));
    ASSERT_TRUE(declined && *declined);
    EXPECT_EQ((*declined)->decline->to.text(), "crone1@shakespeare.lit");
    const auto neither = parse_muc_mediated(message(""));
    ASSERT_TRUE(neither);
    EXPECT_FALSE(*neither);
}

TEST(MucMediated, is_refused_when_malformed) {
    EXPECT_EQ(refusal(parse_muc_mediated(message("<invite/>"))), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(parse_muc_mediated(message("<decline/>"))), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(parse_muc_mediated(message("<invite to='@'/>"))),
              StanzaCondition::jid_malformed);
    EXPECT_EQ(refusal(parse_muc_mediated(message("<invite to='a@b'/><decline to='a@b'/>"))),
              StanzaCondition::bad_request);
    std::string many;
    for (std::size_t i = 0; i < kMucInvitesMax; ++i)
        many += "<invite to='a@b'/>";
    EXPECT_TRUE(parse_muc_mediated(message(many)));
    EXPECT_EQ(refusal(parse_muc_mediated(message(many + "<invite to='a@b'/>"))),
              StanzaCondition::policy_violation);
}

}  // namespace
}  // namespace xmpp

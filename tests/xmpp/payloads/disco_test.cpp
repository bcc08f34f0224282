#include "xmpp/payloads/disco.h"

#include "from_xml.h"

namespace xmpp {
namespace {

using testing::from_xml;

constexpr std::string_view kInfo = "<query xmlns='http://jabber.org/protocol/disco#info'>";
constexpr std::string_view kItems = "<query xmlns='http://jabber.org/protocol/disco#items'>";

base::Result<DiscoInfo> info(const std::string& inner) {
    return DiscoInfo::parse(from_xml(std::string(kInfo) + inner + "</query>"));
}
base::Result<DiscoItems> items(const std::string& inner) {
    return DiscoItems::parse(from_xml(std::string(kItems) + inner + "</query>"));
}
std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i)
        result += text;
    return result;
}

TEST(DiscoInfo, reads_identities_features_and_forms) {
    const auto read = info(
        "<identity category='conference' type='text' name='Play-Specific Chatrooms' "
        "xml:lang='en'/>"
        "<identity category='directory' type='chatroom'/>"
        "<feature var='http://jabber.org/protocol/muc'/><feature var='jabber:iq:register'/>"
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>"
        "<value>urn:example</value></field></x><other xmlns='urn:other'/>");
    ASSERT_TRUE(read);
    ASSERT_EQ(read->identities.size(), 2U);
    EXPECT_EQ(read->identities[0],
              (DiscoIdentity{"conference", "text", "en", "Play-Specific Chatrooms"}));
    EXPECT_EQ(read->identities[1], (DiscoIdentity{"directory", "chatroom", "", ""}));
    EXPECT_TRUE(read->has_feature("jabber:iq:register"));
    EXPECT_FALSE(read->has_feature("jabber:iq:search"));
    ASSERT_EQ(read->forms.size(), 1U);
    EXPECT_EQ(read->forms[0].form_type(), "urn:example");
}

TEST(DiscoInfo, is_read_back_as_it_was_written) {
    DiscoInfo written;
    written.node = "http://jabber.org/protocol/commands";
    written.identities = {{"server", "im", "en", "Parley"}, {"pubsub", "pep", "", ""}};
    written.add_feature("b");
    written.add_feature("a");
    written.add_feature("b");
    DataForm form{.type = FormType::result};
    form.set_form_type("urn:example");
    written.forms.push_back(form);
    const auto read = DiscoInfo::parse(written.to_element());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->node, written.node);
    EXPECT_EQ(read->identities, written.identities);
    EXPECT_EQ(read->features, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(read->to_element(), written.to_element());
}

TEST(DiscoInfo, keeps_duplicates_that_it_reads) {
    EXPECT_EQ(info("<feature var='a'/><feature var='a'/>")->features.size(), 2U);
}

TEST(DiscoInfo, refuses_incomplete_children) {
    EXPECT_FALSE(info("<identity category='server'/>"));
    EXPECT_FALSE(info("<identity type='im'/>"));
    EXPECT_FALSE(info("<feature/>"));
    EXPECT_FALSE(info("<x xmlns='jabber:x:data' type='nonsense'/>"));
    EXPECT_FALSE(DiscoInfo::parse(from_xml(std::string(kItems) + "</query>")));
}

TEST(DiscoInfo, keeps_its_limits) {
    const std::string identity = "<identity category='a' type='b'/>";
    EXPECT_TRUE(info(repeated(identity, kDiscoIdentitiesMax)));
    EXPECT_TRUE(info(repeated(identity, kDiscoIdentitiesMax + 1))
                    .error()
                    .is(base::Errc::resource_exhausted));
    EXPECT_TRUE(info(repeated("<feature var='a'/>", kDiscoFeaturesMax)));
    EXPECT_FALSE(info(repeated("<feature var='a'/>", kDiscoFeaturesMax + 1)));
    const std::string form = "<x xmlns='jabber:x:data' type='result'/>";
    EXPECT_TRUE(info(repeated(form, kDiscoFormsMax)));
    EXPECT_FALSE(info(repeated(form, kDiscoFormsMax + 1)));
}

TEST(DiscoItems, are_read_back_as_they_were_written) {
    DiscoItems written;
    written.node = "music";
    written.items = {{"catalog.shakespeare.lit", "books", "Books by and about Shakespeare"},
                     {"people.shakespeare.lit", "", ""}};
    const auto read = DiscoItems::parse(written.to_element());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->node, "music");
    EXPECT_EQ(read->items, written.items);
}

TEST(DiscoItems, refuse_items_without_jid_or_with_an_empty_node) {
    EXPECT_FALSE(items("<item/>"));
    EXPECT_FALSE(items("<item jid='a' node=''/>"));
    EXPECT_TRUE(items("<item jid='a'/><set xmlns='http://jabber.org/protocol/rsm'/>"));
    EXPECT_FALSE(DiscoItems::parse(from_xml(std::string(kInfo) + "</query>")));
}

TEST(DiscoItems, keep_their_limit) {
    EXPECT_TRUE(items(repeated("<item jid='a'/>", kDiscoItemsMax)));
    EXPECT_FALSE(items(repeated("<item jid='a'/>", kDiscoItemsMax + 1)));
}

}  // namespace
}  // namespace xmpp

#include "xmpp/payloads/mam.h"

#include "from_xml.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using testing::from_xml;

const Jid kRomeo = *Jid::parse("romeo@example.org");
const Jid kOrchard = *Jid::parse("romeo@example.org/orchard");

base::Result<MamQuery, StanzaError> query(std::string_view inner,
                                          std::string_view attributes = "") {
    return MamQuery::parse(from_xml("<query xmlns='urn:xmpp:mam:2' " + std::string(attributes) +
                                    ">" + std::string(inner) + "</query>"));
}

std::string field(std::string_view var, std::string_view value) {
    return "<field var='" + std::string(var) + "'><value>" + std::string(value) +
           "</value></field>";
}

base::Result<MamQuery, StanzaError> form(std::string_view fields) {
    return query("<x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", "urn:xmpp:mam:2") +
                 std::string(fields) + "</x>");
}

StanzaCondition refusal(const base::Result<MamQuery, StanzaError>& parsed) {
    return parsed ? StanzaCondition::undefined_condition : parsed.error().condition();
}

TEST(MamQuery, may_ask_for_nothing_in_particular) {
    const auto parsed = query("");
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->query_id);
    EXPECT_FALSE(parsed->with || parsed->start || parsed->end || parsed->ids);
    EXPECT_FALSE(parsed->page.max || parsed->page.after || parsed->page.before);
    EXPECT_FALSE(parsed->flip_page);
}

TEST(MamQuery, reads_every_field) {
    const auto parsed =
        form(field("with", "Juliet@Capulet.lit") + field("start", "2010-06-07T00:00:00Z") +
             field("end", "2010-07-07T13:23:54Z") + field("before-id", "b") +
             field("after-id", "a") + field("include-groupchat", "1") +
             "<field var='ids' type='list-multi'><value>1</value>"
             "<value>2</value></field>");
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->with->text(), "juliet@capulet.lit");
    EXPECT_EQ(parsed->start, parse_date_time("2010-06-07T00:00:00Z"));
    EXPECT_EQ(parsed->end, parse_date_time("2010-07-07T13:23:54Z"));
    EXPECT_EQ(parsed->before_id, "b");
    EXPECT_EQ(parsed->after_id, "a");
    EXPECT_EQ(parsed->ids, (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(parsed->include_groupchat, true);
}

TEST(MamQuery, reads_the_page_and_how_to_send_it) {
    const auto parsed = query(
        "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before/></set><flip-page/>",
        "queryid='f27'");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->query_id, "f27");
    EXPECT_EQ(parsed->page.max, 10U);
    EXPECT_EQ(parsed->page.before, "");
    EXPECT_TRUE(parsed->flip_page);
}

TEST(MamQuery, takes_a_field_without_value_for_none) {
    const auto parsed = form(
        "<field var='with'/><field var='start'><value/></field>"
        "<field var='ids'/><field var='include-groupchat'><value/></field>");
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->with || parsed->start || parsed->ids || parsed->include_groupchat);
}

TEST(MamQuery, refuses_fields_that_it_does_not_know) {
    EXPECT_EQ(refusal(form(field("{http://example.com/}free-text-search", "Juliet"))),
              StanzaCondition::feature_not_implemented);
}

TEST(MamQuery, refuses_values_that_are_none) {
    EXPECT_EQ(refusal(form(field("with", "@"))), StanzaCondition::jid_malformed);
    EXPECT_EQ(refusal(form(field("start", "yesterday"))), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(form(field("end", "2010-06-07"))), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(form(field("include-groupchat", "yes"))), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(form("<field var='after-id'><value>1</value><value>2</value></field>")),
              StanzaCondition::bad_request);
}

TEST(MamQuery, refuses_forms_that_are_none_of_its_own) {
    EXPECT_EQ(refusal(query("<x xmlns='jabber:x:data' type='submit'/>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(query("<x xmlns='jabber:x:data' type='submit'>" +
                            field("FORM_TYPE", "urn:xmpp:mam:1") + "</x>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(query("<x xmlns='jabber:x:data' type='cancel'>" +
                            field("FORM_TYPE", "urn:xmpp:mam:2") + "</x>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(query("<x xmlns='jabber:x:data' type='submit'>" +
                            field("FORM_TYPE", "urn:xmpp:mam:2") +
                            "</x><x xmlns='jabber:x:data' type='submit'/>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(form(field("with", "a@b") + field("with", "a@b"))),
              StanzaCondition::bad_request);
}

TEST(MamQuery, refuses_what_is_wrong_with_the_page) {
    EXPECT_EQ(refusal(query("<set xmlns='http://jabber.org/protocol/rsm'><max>x</max></set>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(query("<set xmlns='http://jabber.org/protocol/rsm'/>"
                            "<set xmlns='http://jabber.org/protocol/rsm'/>")),
              StanzaCondition::bad_request);
}

TEST(MamQuery, knows_no_nodes) {
    EXPECT_EQ(refusal(query("", "node='princely_musings'")), StanzaCondition::item_not_found);
}

TEST(MamQuery, limits_what_it_keeps) {
    std::string ids;
    for (std::size_t i = 0; i < kMamIdsMax; ++i)
        ids += "<value>1</value>";
    EXPECT_EQ(form("<field var='ids'>" + ids + "</field>")->ids->size(), kMamIdsMax);
    EXPECT_EQ(refusal(form("<field var='ids'>" + ids + "<value>1</value></field>")),
              StanzaCondition::policy_violation);
    const std::string longest(kMamQueryIdBytesMax, 'q');
    EXPECT_EQ(query("", "queryid='" + longest + "'")->query_id, longest);
    EXPECT_EQ(refusal(query("", "queryid='q" + longest + "'")), StanzaCondition::bad_request);
}

TEST(MamQuery, writes_what_it_reads) {
    MamQuery all;
    all.query_id = "";
    all.with = kRomeo;
    all.start = base::WallTime{1'000'000'000'123'456};
    all.end = base::WallTime{1'000'000'001'000'000};
    all.before_id = "b";
    all.after_id = "a";
    all.ids = {"1", "2"};
    all.include_groupchat = false;
    all.page.max = 0;
    all.flip_page = true;
    const auto again = MamQuery::parse(all.to_element());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->to_element(), all.to_element());
    EXPECT_EQ(again->start, all.start);
    EXPECT_EQ(to_xml(MamQuery().to_element()), "<query xmlns='urn:xmpp:mam:2'/>");
}

TEST(MamForm, names_every_field_and_leaves_the_ids_open) {
    EXPECT_EQ(mam_form_element(),
              from_xml("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'>"
                       "<field type='hidden' var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
                       "<field type='jid-single' var='with'/>"
                       "<field type='text-single' var='start'/>"
                       "<field type='text-single' var='end'/>"
                       "<field type='text-single' var='before-id'/>"
                       "<field type='text-single' var='after-id'/>"
                       "<field type='list-multi' var='ids'>"
                       "<validate xmlns='http://jabber.org/protocol/xdata-validate' "
                       "datatype='xs:string'><open/></validate></field>"
                       "<field type='boolean' var='include-groupchat'/></x></query>"));
}

constexpr std::string_view kStored =
    "<message to='romeo@example.org' from='juliet@example.net/balcony' type='chat' id='8a54s'>"
    "<body xml:lang=\"en\">a &lt; b &#x26; c</body  ><x xmlns:y='urn:y'><y:z y:a = '1'/></x>"
    "</message>";

TEST(MamResult, carries_the_message_byte_for_byte) {
    MamQuery asked;
    asked.query_id = "f&27";
    const Stanza result =
        mam_result(kRomeo, kOrchard, asked, "abc", {1'278'803'305'123'999}, kStored);
    const std::string content(kStored.substr(std::string_view("<message").size()));
    EXPECT_EQ(result.to_xml(),
              "<message from='romeo@example.org' to='romeo@example.org/orchard' id='abc'>"
              "<result xmlns='urn:xmpp:mam:2' queryid='f&amp;27' id='abc'>"
              "<forwarded xmlns='urn:xmpp:forward:0'>"
              "<delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25.123Z'/>"
              "<message xmlns='jabber:client'" +
                  content + "</forwarded></result></message>");
}

TEST(MamResult, is_read_as_the_message_that_it_carries) {
    const Stanza result = mam_result(kRomeo, kOrchard, {}, "abc", {1'278'803'305'123'999}, kStored);
    const auto parsed = parse_mam_result(*read_stanza(result.to_xml()));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->query_id, "");
    EXPECT_EQ(parsed->id, "abc");
    EXPECT_EQ(parsed->received_at, (base::WallTime{1'278'803'305'123'000}));
    EXPECT_EQ(parsed->stanza.element(), read_stanza(kStored)->element());
}

TEST(MamResult, refuses_what_is_no_whole_result) {
    const auto parse = [](std::string_view inner) {
        return parse_mam_result(
            *Stanza::from_element(from_xml("<message>" + std::string(inner) + "</message>")));
    };
    EXPECT_FALSE(parse("<body/>"));
    EXPECT_FALSE(parse("<result xmlns='urn:xmpp:mam:2' id='1'/>"));
    const std::string forwarded =
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' "
        "stamp='2010-07-10T23:08:25Z'/><message xmlns='jabber:client'/></forwarded>";
    EXPECT_TRUE(parse("<result xmlns='urn:xmpp:mam:2' id='1'>" + forwarded + "</result>"));
    EXPECT_FALSE(parse("<result xmlns='urn:xmpp:mam:2'>" + forwarded + "</result>"));
    EXPECT_FALSE(
        parse("<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>"
              "<message xmlns='jabber:client'/></forwarded></result>"));
}

TEST(MamFin, writes_what_it_reads) {
    MamFin fin;
    fin.complete = true;
    fin.set.first = "1";
    fin.set.first_index = 0;
    fin.set.last = "2";
    fin.set.count = 2;
    EXPECT_EQ(to_xml(fin.to_element()),
              "<fin xmlns='urn:xmpp:mam:2' complete='true' stable='true'>"
              "<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>1</first>"
              "<last>2</last><count>2</count></set></fin>");
    const auto again = MamFin::parse(fin.to_element());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->to_element(), fin.to_element());
    EXPECT_FALSE(MamFin::parse(from_xml("<fin xmlns='urn:xmpp:mam:2'/>")));
    const auto bare = MamFin::parse(from_xml(
        "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'/></fin>"));
    ASSERT_TRUE(bare);
    EXPECT_FALSE(bare->complete);
    EXPECT_TRUE(bare->stable);
}

TEST(MamMetadata, has_both_ends_or_none) {
    EXPECT_EQ(to_xml(MamMetadata().to_element()), "<metadata xmlns='urn:xmpp:mam:2'/>");
    MamMetadata metadata;
    metadata.start = {.id = "1", .timestamp = {1'219'352'944'000'000}};
    metadata.end = {.id = "2", .timestamp = {1'587'393'271'000'000}};
    EXPECT_EQ(to_xml(metadata.to_element()),
              "<metadata xmlns='urn:xmpp:mam:2'>"
              "<start id='1' timestamp='2008-08-21T21:09:04.000Z'/>"
              "<end id='2' timestamp='2020-04-20T14:34:31.000Z'/></metadata>");
    EXPECT_EQ(MamMetadata::parse(metadata.to_element())->to_element(), metadata.to_element());
    EXPECT_FALSE(MamMetadata::parse(MamMetadata().to_element())->start);
    metadata.end.reset();
    EXPECT_FALSE(MamMetadata::parse(metadata.to_element()));
}

}  // namespace
}  // namespace xmpp

#include "xmpp/payloads/mam_prefs.h"

#include "from_xml.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using testing::from_xml;

base::Result<MamPrefs, StanzaError> prefs(std::string_view inner,
                                          std::string_view rule = "default='roster'") {
    return MamPrefs::parse(from_xml("<prefs xmlns='urn:xmpp:mam:2' " + std::string(rule) + ">" +
                                    std::string(inner) + "</prefs>"));
}

StanzaCondition refusal(const base::Result<MamPrefs, StanzaError>& parsed) {
    return parsed ? StanzaCondition::undefined_condition : parsed.error().condition();
}

std::string jids(std::size_t count, std::string_view name) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i)
        list += "<jid>" + std::string(name) + std::to_string(i) + "@montague.lit</jid>";
    return list;
}

TEST(MamPrefs, reads_and_writes_both_lists) {
    const auto parsed = prefs(
        "<always><jid>Romeo@montague.lit</jid><jid>a@b/c</jid><jid>romeo@montague.lit</jid>"
        "</always><never><jid>montague@montague.lit</jid></never>");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->otherwise, MamDefault::roster);
    EXPECT_EQ(to_xml(parsed->to_element()),
              "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@b/c</jid>"
              "<jid>romeo@montague.lit</jid></always><never><jid>montague@montague.lit</jid>"
              "</never></prefs>");
}

TEST(MamPrefs, takes_a_missing_list_for_an_empty_one) {
    const auto parsed = prefs("", "default='never'");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(to_xml(parsed->to_element()),
              "<prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs>");
    EXPECT_EQ(prefs("", "default='always'")->otherwise, MamDefault::always);
}

TEST(MamPrefs, refuses_what_it_cannot_mean) {
    EXPECT_EQ(refusal(prefs("", "")), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(prefs("", "default='sometimes'")), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(prefs("<always/><always/>")), StanzaCondition::bad_request);
    EXPECT_EQ(refusal(prefs("<always><jid>a@b</jid></always><never><jid>A@b</jid></never>")),
              StanzaCondition::bad_request);
    EXPECT_EQ(refusal(prefs("<never><jid>@</jid></never>")), StanzaCondition::jid_malformed);
}

TEST(MamPrefs, limits_the_lists_together) {
    const std::string always = "<always>" + jids(kMamPrefsJidsMax - 1, "a") + "</always>";
    EXPECT_TRUE(prefs(always + "<never>" + jids(1, "n") + "</never>"));
    EXPECT_EQ(refusal(prefs(always + "<never>" + jids(2, "n") + "</never>")),
              StanzaCondition::resource_constraint);
    EXPECT_EQ(refusal(prefs("<always>" + jids(kMamPrefsJidsMax + 1, "a") + "</always>")),
              StanzaCondition::resource_constraint);
}

}  // namespace
}  // namespace xmpp

#include "xmpp/core/jid.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <unordered_set>

namespace xmpp {
namespace {

Jid parsed(std::string_view text) {
    auto jid = Jid::parse(text);
    EXPECT_TRUE(jid.has_value()) << text << ": " << (jid ? "" : jid.error().message());
    return jid ? *jid : Jid();
}

std::string refusal(std::string_view text) {
    const auto jid = Jid::parse(text);
    EXPECT_FALSE(jid.has_value()) << text;
    if (jid) return {};
    EXPECT_TRUE(jid.error().is(base::Errc::invalid_argument)) << text;
    return std::string(jid.error().detail());
}

struct Parts {
    std::string_view text, local, domain, resource;
};

// RFC 7622 §3.5, table 1, and a resource with a slash.
constexpr std::array<Parts, 16> kValid = {{
    {"juliet@example.com", "juliet", "example.com", ""},
    {"juliet@example.com/foo", "juliet", "example.com", "foo"},
    {"juliet@example.com/foo bar", "juliet", "example.com", "foo bar"},
    {"juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"},
    {"foo\\20bar@example.com", "foo\\20bar", "example.com", ""},
    {"fussball@example.com", "fussball", "example.com", ""},
    {"fu\u00DFball@example.com", "fu\u00DFball", "example.com", ""},
    {"\u03C0@example.com", "\u03C0", "example.com", ""},
    {"\u03A3@example.com/foo", "\u03C3", "example.com", "foo"},
    {"\u03C3@example.com/foo", "\u03C3", "example.com", "foo"},
    {"\u03C2@example.com/foo", "\u03C2", "example.com", "foo"},
    {"king@example.com/\u265A", "king", "example.com", "\u265A"},
    {"example.com", "", "example.com", ""},
    {"example.com/foobar", "", "example.com", "foobar"},
    {"a.example.com/b@example.net", "", "a.example.com", "b@example.net"},
    {"juliet@example.com/foo/bar", "juliet", "example.com", "foo/bar"},
}};

TEST(Jid, accepts_the_examples_of_rfc_7622) {
    for (const Parts& example : kValid) {
        const Jid jid = parsed(example.text);
        EXPECT_EQ(jid.local(), example.local) << example.text;
        EXPECT_EQ(jid.domain(), example.domain) << example.text;
        EXPECT_EQ(jid.resource(), example.resource) << example.text;
    }
}

// RFC 7622 §3.5, table 2. Its example of a leading space in the resourcepart contradicts the
// OpaqueString profile and was taken back by erratum 4560: see the next test.
TEST(Jid, refuses_the_counter_examples_of_rfc_7622) {
    EXPECT_EQ(refusal("\"juliet\"@example.com"), "localpart has one of the characters \"&'/:<>@");
    EXPECT_NE(refusal("foo bar@example.com"), "");
    EXPECT_EQ(refusal("@example.com/"), "localpart is empty");
    EXPECT_NE(refusal("henry\u2163@example.com"), "");
    EXPECT_NE(refusal("\u265A@example.com"), "");
    EXPECT_EQ(refusal("juliet@"), "domainpart is empty");
    EXPECT_EQ(refusal("/foobar"), "domainpart is empty");
}

TEST(Jid, keeps_spaces_around_a_resource) {
    EXPECT_EQ(parsed("juliet@example.com/ foo ").resource(), " foo ");
}

TEST(Jid, refuses_empty_parts) {
    EXPECT_EQ(refusal(""), "domainpart is empty");
    EXPECT_EQ(refusal("@"), "localpart is empty");
    EXPECT_EQ(refusal("@example.com"), "localpart is empty");
    EXPECT_EQ(refusal("a@example.com/"), "resourcepart is empty");
    EXPECT_EQ(refusal("example.com/"), "resourcepart is empty");
    EXPECT_EQ(refusal("a@/b"), "domainpart is empty");
    EXPECT_EQ(refusal("a@."), "domainpart is empty");
}

TEST(Jid, refuses_each_excluded_character_in_the_localpart) {
    for (const char c : std::string_view("\"&':<>")) {
        EXPECT_NE(refusal(std::string("a") + c + "b@example.com"), "") << c;
    }
    // '/' ends the address before '@' is looked for, and the first '@' ends the localpart.
    EXPECT_NE(refusal("a@b@example.com"), "");
    EXPECT_EQ(parsed("a/b@example.com").resource(), "b@example.com");
}

TEST(Jid, refuses_excluded_characters_that_appear_only_after_width_mapping) {
    EXPECT_NE(refusal("a\uFF20b@example.com"), "");  // FULLWIDTH COMMERCIAL AT
    EXPECT_NE(refusal("a\uFF0Fb@example.com"), "");  // FULLWIDTH SOLIDUS
}

TEST(Jid, refuses_controls_and_white_space) {
    for (const std::string_view bad : {"a\tb@x.org", "a\nb@x.org", "a b@x.org", "a\x7F@x.org"}) {
        EXPECT_NE(refusal(bad), "");
    }
    EXPECT_NE(refusal(std::string_view("a\0b@x.org", 9)), "");
    EXPECT_NE(refusal(std::string_view("a@x.org/\0", 9)), "");
    EXPECT_NE(refusal("a@x.org/b\n"), "");
    EXPECT_NE(refusal("a@x.org\n"), "");
    EXPECT_NE(refusal("a@ x.org"), "");
}

TEST(Jid, refuses_malformed_utf8_in_every_part) {
    for (const std::string_view bad : {"\xFF", "\xC3", "\xED\xA0\x80", "\xC0\xAF"}) {
        EXPECT_EQ(refusal(std::string(bad) + "@x.org"), "localpart is not UTF-8");
        EXPECT_EQ(refusal("a@" + std::string(bad)), "domainpart is not UTF-8");
        EXPECT_EQ(refusal("a@x.org/" + std::string(bad)), "resourcepart is not UTF-8");
    }
}

TEST(Jid, folds_case_of_local_and_domain_but_not_of_resource) {
    const Jid jid = parsed("JuLiet@EXAMPLE.Com/BalCony");
    EXPECT_EQ(jid.text(), "juliet@example.com/BalCony");
    EXPECT_EQ(parsed("\u00C9VA@x.org").local(), "\u00E9va");
}

TEST(Jid, normalises_composition_and_width) {
    EXPECT_EQ(parsed("e\u0301@x.org"), parsed("\u00E9@x.org"));
    EXPECT_EQ(parsed("\uFF4A\uFF55@x.org").local(), "ju");
    EXPECT_EQ(parsed("x.org/e\u0301").resource(), "\u00E9");
    EXPECT_EQ(parsed("x.org/a\u00A0b").resource(), "a b");  // A non-ASCII space.
}

TEST(Jid, limits_each_part_to_1023_bytes) {
    const std::string most(kJidPartBytesMax, 'a');
    const std::string more(kJidPartBytesMax + 1, 'a');
    EXPECT_EQ(parsed(most + "@x.org/" + most).local().size(), kJidPartBytesMax);
    EXPECT_EQ(refusal(more + "@x.org"), "localpart is longer than 1023 bytes");
    EXPECT_EQ(refusal("x.org/" + more), "resourcepart is longer than 1023 bytes");

    std::string domain;
    while (domain.size() < 1020)
        domain += "a.";
    domain += std::string(kJidPartBytesMax - domain.size(), 'b');
    EXPECT_EQ(parsed("a@" + domain).domain().size(), kJidPartBytesMax);
    EXPECT_EQ(refusal("a@" + domain + "b"), "domainpart is longer than 1023 bytes");
    // Bytes count, not characters; and they count after preparation.
    std::string two_bytes;
    for (int i = 0; i < 511; ++i)
        two_bytes += "\u00E9";
    parsed("x.org/" + two_bytes + "a");
    EXPECT_EQ(refusal("x.org/" + two_bytes + "\u00E9"), "resourcepart is longer than 1023 bytes");
    std::string wide;
    for (std::size_t i = 0; i < kJidPartBytesMax; ++i)
        wide += "\uFF41";
    EXPECT_EQ(parsed(wide + "@x.org").local().size(), kJidPartBytesMax);
    EXPECT_NE(refusal(std::string(1'000'000, 'x') + "\u00E9@x.org"), "");
}

TEST(Jid, strips_one_trailing_dot_from_the_domain) {
    EXPECT_EQ(parsed("example.com.").text(), "example.com");
    EXPECT_EQ(parsed("a@example.com./b").text(), "a@example.com/b");
    EXPECT_NE(refusal("example.com.."), "");
}

TEST(Jid, accepts_ip_addresses_as_domain) {
    EXPECT_EQ(parsed("a@192.0.2.1").domain(), "192.0.2.1");
    EXPECT_EQ(parsed("a@[2001:DB8:0:0::1]/r").text(), "a@[2001:db8::1]/r");
    EXPECT_EQ(parsed("[::1]").domain(), "[::1]");
    EXPECT_NE(refusal("a@[::1"), "");
    EXPECT_NE(refusal("a@[]"), "");
    EXPECT_NE(refusal("a@["), "");
    EXPECT_NE(refusal("a@[fe80::1%eth0]"), "");
    EXPECT_NE(refusal("a@[192.0.2.1]"), "");
    EXPECT_NE(refusal("a@2001:db8::1"), "");
    EXPECT_NE(refusal("a@[v1.x]"), "");
}

TEST(Jid, prepares_internationalised_domains) {
    EXPECT_EQ(parsed("fa\u00DF.de").domain(), "fa\u00DF.de");  // IDNA2008, not "fass".
    EXPECT_EQ(parsed("xn--fa-hia.de").domain(), "fa\u00DF.de");
    EXPECT_EQ(parsed("XN--BCHER-KVA.example").domain(), "b\u00FCcher.example");
    EXPECT_EQ(parsed("B\u00DCCHER.example"), parsed("xn--bcher-kva.example"));
    EXPECT_EQ(parsed("b\u00FCcher\u3002example").domain(), "b\u00FCcher.example");
    EXPECT_EQ(parsed("\u05D0\u05D1.example").domain(), "\u05D0\u05D1.example");
}

TEST(Jid, refuses_domains_that_idna2008_does_not_allow) {
    EXPECT_NE(refusal("\u265A.example"), "");
    EXPECT_NE(refusal("a_b.example"), "");
    EXPECT_NE(refusal("-a.example"), "");
    EXPECT_NE(refusal("a-.example"), "");
    EXPECT_NE(refusal("ab--c.example"), "");
    EXPECT_NE(refusal("a..example"), "");
    EXPECT_NE(refusal(".example"), "");
    EXPECT_NE(refusal("xn--.example"), "");
    EXPECT_NE(refusal("xn--zzzzzzzz\u00FC.example"), "");
    EXPECT_NE(refusal("a\u05D0.example"), "");  // Left-to-right and right-to-left in one label.
    EXPECT_NE(refusal("a b.example"), "");
    EXPECT_NE(refusal("\u00AD"), "");  // Maps to nothing.
}

TEST(Jid, limits_labels_to_63_bytes) {
    parsed(std::string(63, 'a') + ".example");
    EXPECT_EQ(refusal(std::string(64, 'a') + ".example"),
              "domainpart has a label of more than 63 bytes");
}

TEST(Jid, applies_the_bidi_and_context_rules_to_the_localpart) {
    parsed("\u05D0\u05D1@x.org");
    EXPECT_NE(refusal("a\u05D0@x.org"), "");
    parsed("l\u00B7l@x.org");
    EXPECT_NE(refusal("a\u00B7l@x.org"), "");
    EXPECT_NE(refusal("a\u200Db@x.org"), "");
}

TEST(Jid, takes_itself_apart) {
    const Jid jid = parsed("juliet@example.com/balcony");
    EXPECT_TRUE(jid.is_full());
    EXPECT_FALSE(jid.is_bare());
    EXPECT_TRUE(jid.has_local());
    EXPECT_EQ(jid.bare_view(), "juliet@example.com");
    EXPECT_EQ(jid.bare().text(), "juliet@example.com");
    EXPECT_EQ(jid.bare().local(), "juliet");
    EXPECT_TRUE(jid.bare().is_bare());
    EXPECT_EQ(jid.domain_jid().text(), "example.com");
    EXPECT_TRUE(jid.domain_jid().is_domain());
    EXPECT_EQ(jid.with_resource("tomb")->text(), "juliet@example.com/tomb");
    EXPECT_EQ(jid.bare().with_resource("tomb")->resource(), "tomb");
    EXPECT_FALSE(jid.with_resource("").has_value());
    EXPECT_FALSE(jid.with_resource("a\x01").has_value());
    EXPECT_TRUE(jid.same_bare(jid.bare()));
    EXPECT_FALSE(jid.same_bare(jid.domain_jid()));
}

TEST(Jid, is_made_from_parts_with_the_same_checks) {
    EXPECT_EQ(Jid::make("Juliet", "Example.com", "R")->text(), "juliet@example.com/R");
    EXPECT_EQ(Jid::make("", "example.com")->text(), "example.com");
    EXPECT_FALSE(Jid::make("a@b", "example.com").has_value());
    EXPECT_FALSE(Jid::make("a", "exam/ple.com").has_value());
    EXPECT_FALSE(Jid::make("a", "").has_value());
    EXPECT_EQ(Jid::make("a", "b", "c/d@e")->resource(), "c/d@e");
}

TEST(Jid, survives_being_moved_from) {
    Jid first = parsed("juliet@example.com/balcony");
    const Jid second = std::move(first);
    EXPECT_EQ(second.resource(), "balcony");
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(first.domain(), "");
    first = second;
    EXPECT_EQ(first.local(), "juliet");
}

TEST(Jid, compares_and_hashes_by_its_prepared_text) {
    EXPECT_EQ(parsed("A@x.org"), parsed("a@X.ORG"));
    EXPECT_NE(parsed("a@x.org/r"), parsed("a@x.org/R"));
    EXPECT_LT(parsed("a@x.org"), parsed("b@x.org"));
    std::unordered_set<Jid> set{parsed("a@x.org"), parsed("A@x.org"), parsed("a@x.org/r")};
    EXPECT_EQ(set.size(), 2U);
    EXPECT_TRUE(Jid().empty());
    EXPECT_EQ(Jid(), Jid());
}

TEST(Jid, may_be_every_spelling_of_itself) {
    const Jid juliet = parsed("juliet@xn--bcher-kva.example/Balcony");
    for (const std::string_view text :
         {"juliet@xn--bcher-kva.example/Balcony", "JULIET@B\u00DCCHER.example/Balcony",
          "\uFF4Auliet@xn--bcher-kva.example/Balcony",
          "julie\uFF34@b\u00FCcher.example./Balcony"}) {
        EXPECT_EQ(parsed(text), juliet) << text;
        EXPECT_TRUE(juliet.may_be(text)) << text;
    }
    EXPECT_TRUE(parsed("example.net/x@y").may_be("EXAMPLE.net/x@y"));
    EXPECT_TRUE(parsed("example.net").may_be("example.net."));
}

TEST(Jid, may_not_be_somebody_else) {
    const Jid juliet = parsed("juliet@example.net");
    for (const std::string_view text :
         {"", "@", "example.net", "example.net/juliet", "romeo@example.net", "julie@example.net",
          "juliet2@example.net", "example.net/juliet@example.net", "jul[et@example.net"})
        EXPECT_FALSE(juliet.may_be(text)) << text;
}

TEST(Jid, reads_back_what_it_writes) {
    for (const Parts& example : kValid) {
        const Jid jid = parsed(example.text);
        EXPECT_EQ(parsed(jid.text()), jid);
        EXPECT_EQ(parsed(jid.text()).text(), jid.text());
    }
}

}  // namespace
}  // namespace xmpp

// XEP-0115: both generation examples, and every rule of the processing method (§5.4).
#include "xmpp/payloads/caps.h"

#include "from_xml.h"
#include "xmpp/payloads/disco.h"

namespace xmpp {
namespace {

using testing::from_xml;

DiscoInfo info(const std::string& inner) {
    auto parsed = DiscoInfo::parse(
        from_xml("<query xmlns='http://jabber.org/protocol/disco#info'>" + inner + "</query>"));
    EXPECT_TRUE(parsed);
    return parsed ? *std::move(parsed) : DiscoInfo();
}

const std::string kFeatures =
    "<feature var='http://jabber.org/protocol/disco#info'/>"
    "<feature var='http://jabber.org/protocol/muc'/>"
    "<feature var='http://jabber.org/protocol/disco#items'/>"
    "<feature var='http://jabber.org/protocol/caps'/>";
const std::string kExodus = "<identity category='client' name='Exodus 0.9.1' type='pc'/>";

std::string form(const std::string& inner) {
    return "<x xmlns='jabber:x:data' type='result'>" + inner + "</x>";
}
std::string form_type(const std::string& value) {
    return "<field var='FORM_TYPE' type='hidden'><value>" + value + "</value></field>";
}

std::string sha1_of(const DiscoInfo& disco) {
    return caps_hash(disco, "sha-1").value_or("ill-formed");
}

TEST(CapsHash, gives_the_simple_example) {
    EXPECT_EQ(sha1_of(info(kExodus + kFeatures)), "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

TEST(CapsHash, gives_the_complex_example) {
    const DiscoInfo psi = info(
        "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
        "<identity xml:lang='el' category='client' name='\u03A8 0.11' type='pc'/>" +
        kFeatures +
        form("<field var='software_version'><value>0.11</value></field>"
             "<field var='software'><value>Psi</value></field>" +
             form_type("urn:xmpp:dataforms:softwareinfo") +
             "<field var='os_version'><value>10.5.1</value></field>"
             "<field var='os'><value>Mac</value></field>"
             "<field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value>"
             "</field>"));
    EXPECT_EQ(sha1_of(psi), "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

// base64.b64encode(hashlib.sha256(S).digest()) with S of the simple example.
TEST(CapsHash, knows_more_than_one_hash) {
    EXPECT_EQ(caps_hash(info(kExodus + kFeatures), "sha-256").value_or(""),
              "Wr6IGEKhx6b9627gBmi/cCmpxXBc/GYq5zWuYfWGWoc=");
    EXPECT_EQ(caps_hash(info(kExodus + kFeatures), "sha-512")->size(), 88U);
    EXPECT_TRUE(caps_hash(info(kExodus), "md5").error().is(base::Errc::unsupported));
    EXPECT_TRUE(caps_hash(info(kExodus), "").error().is(base::Errc::unsupported));
}

TEST(CapsHash, sorts_by_octets) {
    EXPECT_EQ(sha1_of(info("<feature var='a'/><feature var='B'/><feature var='\u00E9'/>")),
              sha1_of(info("<feature var='\u00E9'/><feature var='a'/><feature var='B'/>")));
}

TEST(CapsHash, refuses_what_the_xep_calls_ill_formed) {
    for (const std::string& inner :
         {kExodus + kExodus, std::string("<feature var='a'/><feature var='b'/><feature var='a'/>"),
          form(form_type("urn:a")) + form(form_type("urn:b")) + form(form_type("urn:a")),
          form("<field var='FORM_TYPE' type='hidden'><value>urn:a</value><value>urn:b</value>"
               "</field>")})
        EXPECT_TRUE(caps_hash(info(inner), "sha-1").error().is(base::Errc::invalid_argument))
            << inner;
}

TEST(CapsHash, tells_identities_apart_by_all_four_parts) {
    EXPECT_NE(sha1_of(info(kExodus + "<identity category='client' name='Other' type='pc'/>")),
              "ill-formed");
}

TEST(CapsHash, accepts_the_same_form_type_value_twice_in_one_field) {
    EXPECT_EQ(sha1_of(info(form("<field var='FORM_TYPE' type='hidden'><value>urn:a</value>"
                                "<value>urn:a</value></field>"))),
              sha1_of(info(form(form_type("urn:a")))));
}

TEST(CapsHash, leaves_out_forms_without_a_hidden_form_type) {
    const auto bare = sha1_of(info(kExodus));
    for (const std::string& ignored :
         {form("<field var='os'><value>Mac</value></field>"),
          form("<field var='FORM_TYPE'><value>urn:a</value></field>"),
          form("<field var='FORM_TYPE' type='text-single'><value>urn:a</value></field>"),
          form("<field var='FORM_TYPE' type='hidden'/>")})
        EXPECT_EQ(sha1_of(info(kExodus + ignored + ignored)), bare) << ignored;
}

TEST(CapsHash, does_not_let_a_value_pose_as_several) {
    EXPECT_NE(sha1_of(info("<feature var='a&lt;b'/>")),
              sha1_of(info("<feature var='a'/><feature var='b'/>")));
    EXPECT_NE(sha1_of(info("<identity category='client' type='pc' name='x&lt;a'/>")),
              sha1_of(info("<identity category='client' type='pc' name='x'/>"
                           "<feature var='a'/>")));
}

TEST(Caps, are_read_back_as_they_were_written) {
    const Caps caps{"sha-1", "http://code.google.com/p/exodus", "QgayPKawpkPSDYmwT/WM94uAlu0="};
    const auto read = Caps::parse(caps.to_element());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->hash, caps.hash);
    EXPECT_EQ(read->query_node(), "http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0=");
}

TEST(Caps, are_verified_by_their_hash_only) {
    const DiscoInfo exodus = info(kExodus + kFeatures);
    EXPECT_TRUE(caps_verified({"sha-1", "n", "QgayPKawpkPSDYmwT/WM94uAlu0="}, exodus));
    EXPECT_FALSE(caps_verified({"sha-1", "n", "66/0NaeaBKkwk85efJTGmU47vXI="}, exodus));
    EXPECT_FALSE(caps_verified({"", "n", "QgayPKawpkPSDYmwT/WM94uAlu0="}, exodus));
    EXPECT_FALSE(caps_verified({"md5", "n", "QgayPKawpkPSDYmwT/WM94uAlu0="}, exodus));
}

TEST(Caps, refuse_incomplete_and_over_long_elements) {
    const auto parse = [](const std::string& attributes) {
        return Caps::parse(
            from_xml("<c xmlns='http://jabber.org/protocol/caps' " + attributes + "/>"));
    };
    EXPECT_TRUE(parse("node='n' ver='v'"));
    EXPECT_EQ(parse("node='n' ver='v' ext='a b'")->hash, "");
    EXPECT_FALSE(parse("node='n'"));
    EXPECT_FALSE(parse("ver='v'"));
    EXPECT_FALSE(Caps::parse(from_xml("<c xmlns='other' node='n' ver='v'/>")));
    const std::string longest(kCapsAttributeBytesMax, 'v');
    EXPECT_TRUE(parse("node='n' ver='" + longest + "'"));
    EXPECT_FALSE(parse("node='n' ver='" + longest + "v'"));
}

}  // namespace
}  // namespace xmpp

#include "xmpp/xml/read_stanza.h"

#include <gtest/gtest.h>

#include <string>

namespace xmpp {
namespace {

TEST(ReadStanza, reads_what_a_stanza_wrote) {
    for (const std::string_view xml :
         {"<presence/>", "<iq id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
          "<message to='a@x.org' from='b@x.org/r'><body>caf\u00E9 &amp; co</body></message>"}) {
        const auto stanza = read_stanza(xml);
        ASSERT_TRUE(stanza.has_value()) << xml;
        EXPECT_EQ(stanza->to_xml(), xml);
    }
}

TEST(ReadStanza, reads_stanzas_beyond_a_streams_limits) {
    const std::string big = "<message><body>" + std::string(1'000'000, 'x') + "</body></message>";
    ASSERT_TRUE(read_stanza(big).has_value());
    EXPECT_EQ(read_stanza(big)->body_text().size(), 1'000'000U);
}

TEST(ReadStanza, reads_one_valid_stanza_and_nothing_else) {
    for (const std::string_view xml :
         {"", "<message>", "<message/><message/>", "<message/> x", "<a xmlns='urn:x'/>", "text",
          "<message to='@'/>", "<message></iq>", "</stream:stream>"}) {
        EXPECT_FALSE(read_stanza(xml).has_value()) << xml;
    }
}

}  // namespace
}  // namespace xmpp

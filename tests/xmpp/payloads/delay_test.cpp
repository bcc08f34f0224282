#include "xmpp/payloads/delay.h"

#include "from_xml.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using testing::from_xml;

TEST(Delay, reads_the_example_of_xep_0203) {
    const auto delay = parse_delay(
        from_xml("<delay xmlns='urn:xmpp:delay' from='capulet.com' stamp='2002-09-10T23:08:25Z'>"
                 "Offline Storage</delay>"));
    ASSERT_TRUE(delay);
    EXPECT_EQ(delay->from, "capulet.com");
    EXPECT_EQ(format_date_time(delay->stamp), "2002-09-10T23:08:25Z");
    EXPECT_EQ(delay->reason, "Offline Storage");
}

TEST(Delay, is_read_back_as_it_was_written) {
    const base::WallTime stamp{1'031'699'305'123'000};
    const Element element = delay_element("capulet.com", stamp, "Offline");
    EXPECT_EQ(element.attribute("stamp"), "2002-09-10T23:08:25.123Z");
    const auto delay = parse_delay(element);
    ASSERT_TRUE(delay);
    EXPECT_EQ(delay->stamp, stamp);
    EXPECT_EQ(delay->from, "capulet.com");
    EXPECT_EQ(delay->reason, "Offline");
}

TEST(Delay, leaves_out_what_is_empty) {
    const Element element = delay_element({}, base::WallTime{});
    EXPECT_FALSE(element.has_attribute("from"));
    EXPECT_TRUE(element.has_no_content());
}

TEST(Delay, refuses_other_elements_and_bad_stamps) {
    for (const std::string_view xml :
         {"<delay xmlns='jabber:x:delay' stamp='2002-09-10T23:08:25Z'/>",
          "<later xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>",
          "<delay xmlns='urn:xmpp:delay'/>",
          "<delay xmlns='urn:xmpp:delay' stamp='20020910T23:08:25'/>"})
        EXPECT_FALSE(parse_delay(from_xml(xml))) << xml;
}

}  // namespace
}  // namespace xmpp

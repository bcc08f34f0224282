#include "xmpp/payloads/rsm.h"

#include "from_xml.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

using testing::from_xml;

base::Result<RsmRequest> request(std::string_view inner) {
    return RsmRequest::parse(
        from_xml("<set xmlns='http://jabber.org/protocol/rsm'>" + std::string(inner) + "</set>"));
}

TEST(RsmRequest, reads_a_page_forwards) {
    const auto page = request("<max>10</max><after>peter@pixyland.org</after>");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->max, 10U);
    EXPECT_EQ(page->after, "peter@pixyland.org");
    EXPECT_FALSE(page->before);
    EXPECT_FALSE(page->index);
}

TEST(RsmRequest, tells_the_last_page_from_none) {
    EXPECT_EQ(request("<max>10</max><before/>")->before, "");
    EXPECT_FALSE(request("<max>10</max>")->before);
}

TEST(RsmRequest, takes_an_empty_after_for_the_beginning) {
    EXPECT_FALSE(request("<after/>")->after);
}

TEST(RsmRequest, reads_a_count_request_an_index_and_a_range) {
    EXPECT_EQ(request("<max>0</max>")->max, 0U);
    EXPECT_EQ(request("<max>10</max><index>371</index>")->index, 371U);
    const auto range = request("<after>a</after><before>z</before>");
    EXPECT_EQ(range->after, "a");
    EXPECT_EQ(range->before, "z");
}

TEST(RsmRequest, ignores_children_that_it_does_not_know) {
    EXPECT_EQ(request("<max>1</max><x xmlns='other'/><max xmlns='other'>no</max>")->max, 1U);
}

TEST(RsmRequest, cuts_numbers_that_exceed_32_bits) {
    EXPECT_EQ(request("<max>4294967294</max>")->max, 4294967294U);
    EXPECT_EQ(request("<max>4294967295</max>")->max, 4294967295U);
    EXPECT_EQ(request("<max>4294967296</max>")->max, 4294967295U);
    EXPECT_EQ(request("<max>99999999999999999999999999</max>")->max, 4294967295U);
}

TEST(RsmRequest, refuses_what_makes_no_sense) {
    for (const std::string_view inner :
         {"<max/>", "<max>-1</max>", "<max>+1</max>", "<max>1.5</max>", "<max>ten</max>",
          "<max> 1</max>", "<max>1</max><max>2</max>", "<after>a</after><after>b</after>",
          "<index>1</index><after>a</after>", "<index>1</index><before/>", "<index>x</index>"})
        EXPECT_FALSE(request(inner)) << inner;
    EXPECT_FALSE(RsmRequest::parse(from_xml("<set xmlns='other'/>")));
}

TEST(RsmRequest, keeps_the_limit_of_uids) {
    const std::string uid(kRsmUidBytesMax, 'u');
    EXPECT_TRUE(request("<after>" + uid + "</after>"));
    EXPECT_FALSE(request("<after>" + uid + "u</after>"));
}

TEST(RsmRequest, is_read_back_as_it_was_written) {
    const RsmRequest written{.max = 5, .after = "a", .before = "", .index = {}};
    const auto read = RsmRequest::parse(written.to_element());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->max, 5U);
    EXPECT_EQ(read->after, "a");
    EXPECT_EQ(read->before, "");
}

TEST(RsmResponse, writes_the_page_of_the_xep) {
    const RsmResponse page{
        .first = "stpeter@jabber.org", .last = "peter@rabbit.lit", .first_index = 0, .count = 800};
    EXPECT_EQ(page.to_element(),
              from_xml("<set xmlns='http://jabber.org/protocol/rsm'>"
                       "<first index='0'>stpeter@jabber.org</first><last>peter@rabbit.lit</last>"
                       "<count>800</count></set>"));
}

TEST(RsmResponse, writes_a_count_alone) {
    EXPECT_EQ(RsmResponse{.count = 800}.to_element(),
              from_xml("<set xmlns='http://jabber.org/protocol/rsm'><count>800</count></set>"));
}

TEST(RsmResponse, is_read_back_as_it_was_written) {
    const RsmResponse page{.first = "a", .last = "b", .first_index = 7, .count = 9};
    const auto read = RsmResponse::parse(page.to_element());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->first, "a");
    EXPECT_EQ(read->last, "b");
    EXPECT_EQ(read->first_index, 7U);
    EXPECT_EQ(read->count, 9U);
    EXPECT_FALSE(RsmResponse::parse(
        from_xml("<set xmlns='http://jabber.org/protocol/rsm'><first index='x'>a</first></set>")));
}

}  // namespace
}  // namespace xmpp

#include "xmpp/payloads/hints.h"

#include "from_xml.h"

namespace xmpp {
namespace {

using testing::from_xml;

Stanza message(std::string_view type, std::string_view content) {
    return *Stanza::from_element(from_xml("<message type='" + std::string(type) + "'>" +
                                          std::string(content) + "</message>"));
}

TEST(Hints, are_read_back_as_they_were_written) {
    for (const Hint hint : {Hint::no_permanent_store, Hint::no_store, Hint::no_copy, Hint::store})
        EXPECT_EQ(parse_hint(hint_element(hint)), hint);
}

TEST(Hints, of_other_names_or_namespaces_are_none) {
    EXPECT_EQ(parse_hint(from_xml("<no-store/>")), std::nullopt);
    EXPECT_EQ(parse_hint(from_xml("<keep xmlns='urn:xmpp:hints'/>")), std::nullopt);
}

TEST(Hints, of_a_message_are_all_that_it_has) {
    EXPECT_EQ(hints_of(message("chat", "<body/>")), Hints{});
    EXPECT_EQ(hints_of(message("chat",
                               "<no-copy xmlns='urn:xmpp:hints'/><body/>"
                               "<no-store xmlns='urn:xmpp:hints'/>")),
              (Hints{.no_store = true, .no_copy = true}));
    EXPECT_EQ(hints_of(message("normal",
                               "<store xmlns='urn:xmpp:hints'/>"
                               "<no-permanent-store xmlns='urn:xmpp:hints'/>")),
              (Hints{.no_permanent_store = true, .store = true}));
}

TEST(Hints, in_an_error_belong_to_what_it_answers) {
    EXPECT_EQ(hints_of(message("error", "<store xmlns='urn:xmpp:hints'/>")), Hints{});
}

}  // namespace
}  // namespace xmpp

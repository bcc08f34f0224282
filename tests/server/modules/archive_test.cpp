// The archive module: what a scenario cannot see, slow clients and full queues above all. The
// protocol is in tests/scenarios.
#include "server/config/core_keys.h"
#include "server/modules/archive_queries.h"
#include "tests/support/server_harness.h"
#include "xmpp/payloads/mam.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace server::test {
namespace {

using namespace std::chrono_literals;
using modules::ArchiveQueries;

constexpr std::string_view kRomeo = "romeo@example.org/orchard";
constexpr std::string_view kPhone = "romeo@example.org/phone";
constexpr std::string_view kJuliet = "juliet@example.org/balcony";

Config small_queues() {
    return Config()
        .with(keys::kStanzaBytesMax, 10'000)
        .with(keys::kOutboundQueueMax, 65'536)
        .with(keys::kStanzasPerSecond, 100'000)
        .with(keys::kStanzasBurst, 100'000)
        .with(keys::kBytesPerSecond, 1'000'000'000);
}

std::string body_of(int number, std::size_t bytes) {
    std::string body = std::to_string(number) + " ";
    return body + std::string(bytes, 'x');
}

std::string chat(std::string_view to, int number, std::size_t bytes) {
    return "<message type='chat' to='" + std::string(to) + "' id='" + std::to_string(number) +
           "'><body>" + body_of(number, bytes) + "</body></message>";
}

/// Fills Romeo's archive; `romeo` reads it all.
void fill(ScriptedClient& from, ScriptedClient& romeo, int messages, std::size_t bytes) {
    for (int i = 0; i < messages; ++i) {
        from.send(chat(kRomeo, i, bytes));
        EXPECT_EQ(romeo.expect_element().attribute("id"), std::to_string(i));
    }
}

void query(ScriptedClient& client, std::string_view id, std::string_view page,
           std::string_view more = {}) {
    client.send("<iq type='set' id='" + std::string(id) + "'><query xmlns='urn:xmpp:mam:2'>" +
                "<set xmlns='http://jabber.org/protocol/rsm'>" + std::string(page) + "</set>" +
                std::string(more) + "</query></iq>");
}

struct Page {
    std::vector<std::string> ids;  // Of the archived messages, as their senders gave them.
    xmpp::MamFin fin;
    std::string error;
};

/// Acknowledges what stream management asks for.
Page read_page(ScriptedClient& client) {
    Page page;
    std::size_t stanzas = 0;
    for (;;) {
        const xmpp::Element element = client.expect_element();
        if (element.name() == "r") {
            client.send("<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(stanzas) + "'/>");
            continue;
        }
        ++stanzas;
        if (element.name() == "iq") {
            const xmpp::Element* error = element.child("error");
            if (error != nullptr) {
                page.error = error->first_child()->name();
            } else {
                page.fin = *xmpp::MamFin::parse(*element.first_child());
            }
            return page;
        }
        const auto message = xmpp::Stanza::from_element(xmpp::Element(element));
        const auto result = xmpp::parse_mam_result(*message);
        if (!result) throw ScriptFailure("not a result");
        page.ids.emplace_back(result->stanza.id());
    }
}

TEST(Archive, sends_a_page_of_many_times_the_outbound_queue) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    fill(harness.online(kJuliet), romeo, 200, 8000);
    romeo.stop_reading();
    query(romeo, "q", "<max>1000</max>");
    harness.advance(10s);
    EXPECT_EQ(harness.metric("c2s_sessions"), 2);
    romeo.read_on();
    const Page page = read_page(romeo);
    ASSERT_EQ(page.ids.size(), 200U);
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(page.ids[static_cast<std::size_t>(i)], std::to_string(i));
    EXPECT_TRUE(page.fin.complete);
    EXPECT_EQ(harness.metric("module_archive_messages_sent_total"), 200);
    EXPECT_EQ(harness.metric("module_archive_queries_total"), 1);
}

// A phone that was away for a night, with the settings as they are shipped: one query.
TEST(Archive, answers_a_night_of_500_messages_with_one_page) {
    ServerHarness harness;
    ScriptedClient& juliet = harness.online(kJuliet);
    harness.add_user("romeo@example.org");
    constexpr int kMessages = 500;
    constexpr std::size_t kEncryptedBytes = 3'000;
    for (int i = 0; i < kMessages; ++i)
        juliet.send(chat("romeo@example.org", i, kEncryptedBytes));
    harness.advance(10s);
    ScriptedClient& romeo = harness.online(kRomeo);
    query(romeo, "q", "<max>500</max>");
    const Page page = read_page(romeo);
    ASSERT_EQ(page.ids.size(), static_cast<std::size_t>(kMessages));
    EXPECT_EQ(page.ids.front(), "0");
    EXPECT_EQ(page.ids.back(), std::to_string(kMessages - 1));
    EXPECT_TRUE(page.fin.complete);
    EXPECT_EQ(harness.metric("module_archive_queries_total"), 1);
    // And none of them comes again.
    romeo.send("<presence/>");
    EXPECT_EQ(romeo.expect_element().name(), "presence");
    romeo.expect_nothing();
}

// Forms as large as a stanza may be cost no more than reading them.
TEST(Archive, refuses_forms_beyond_every_limit) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online(kRomeo);
    const auto ask = [&](const std::string& fields) {
        romeo.send(
            "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'>"
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
            "<value>urn:xmpp:mam:2</value></field>" +
            fields + "</x></query></iq>");
        return read_page(romeo).error;
    };
    std::string fields;
    for (int i = 0; i < 5'000; ++i)
        fields += "<field var='f" + std::to_string(i) + "'><value/></field>";
    EXPECT_EQ(ask(fields), "bad-request");
    const auto ids = [](std::size_t count) {
        std::string values;
        for (std::size_t i = 0; i < count; ++i)
            values += "<value>58a006fea6b4a2de27ed085bcc550cce</value>";
        return "<field var='ids'>" + values + "</field>";
    };
    EXPECT_EQ(ask(ids(xmpp::kMamIdsMax)), "item-not-found");
    EXPECT_EQ(ask(ids(xmpp::kMamIdsMax + 1)), "policy-violation");
    EXPECT_EQ(ask(ids(4'000)), "bad-request");
    std::string nested;
    for (int i = 0; i < 50; ++i)
        nested += "<a xmlns='urn:example'>";
    for (int i = 0; i < 50; ++i)
        nested += "</a>";
    EXPECT_EQ(ask("<field var='with'>" + nested + "<value>@</value></field>"), "jid-malformed");
    EXPECT_EQ(ask(""), "");
}

TEST(Archive, ends_a_page_before_it_holds_too_many_bytes) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    constexpr std::size_t kBytes = 8000;
    const auto most = static_cast<int>(ArchiveQueries::kPageBytesMax / kBytes);
    fill(harness.online(kJuliet), romeo, most, kBytes);
    query(romeo, "q", "<max>1000</max>");
    const Page page = read_page(romeo);
    EXPECT_LT(page.ids.size(), static_cast<std::size_t>(most));
    EXPECT_GT(page.ids.size(), static_cast<std::size_t>(most) * 9 / 10);
    EXPECT_FALSE(page.fin.complete);
}

TEST(Archive, ends_a_page_early_for_a_client_that_does_not_read) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    fill(harness.online(kJuliet), romeo, 100, 8000);
    romeo.stop_reading();
    query(romeo, "q", "<max>1000</max>");
    harness.advance(ArchiveQueries::kPartTimeout + 1s);
    romeo.read_on();
    const Page page = read_page(romeo);
    ASSERT_FALSE(page.ids.empty());
    ASSERT_LT(page.ids.size(), 100U);
    EXPECT_FALSE(page.fin.complete);
    // And goes on where it broke off.
    query(romeo, "q2", "<max>1000</max><after>" + *page.fin.set.last + "</after>");
    const Page rest = read_page(romeo);
    EXPECT_EQ(rest.ids.front(), std::to_string(page.ids.size()));
    EXPECT_EQ(page.ids.size() + rest.ids.size(), 100U);
    EXPECT_TRUE(rest.fin.complete);
}

// Paging on backwards from there would leave a gap.
TEST(Archive, refuses_rather_than_send_half_a_page_that_cannot_be_continued) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    fill(harness.online(kJuliet), romeo, 100, 8000);
    romeo.stop_reading();
    query(romeo, "q", "<max>1000</max><before/>");
    harness.advance(ArchiveQueries::kPartTimeout + 1s);
    romeo.read_on();
    EXPECT_EQ(read_page(romeo).error, "resource-constraint");
    romeo.stop_reading();
    query(romeo, "q2", "<max>1000</max><before/>", "<flip-page/>");
    harness.advance(ArchiveQueries::kPartTimeout + 1s);
    romeo.read_on();
    const Page page = read_page(romeo);
    ASSERT_FALSE(page.ids.empty());
    EXPECT_EQ(page.ids.front(), "99");
    EXPECT_FALSE(page.fin.complete);
    query(romeo, "q3", "<max>1000</max><before>" + *page.fin.set.first + "</before>");
    EXPECT_EQ(page.ids.size() + read_page(romeo).ids.size(), 100U);
}

TEST(Archive, makes_nobody_wait_for_a_client_that_does_not_read) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    ScriptedClient& phone = harness.online(kPhone);
    fill(harness.online(kJuliet), romeo, 100, 8000);
    romeo.stop_reading();
    query(romeo, "q", "<max>1000</max>");
    harness.advance(1s);
    query(phone, "q", "<max>1</max>");
    EXPECT_EQ(read_page(phone).ids.size(), 1U);
    phone.send(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>"
        "<item jid='juliet@example.org'/></query></iq>");
    EXPECT_EQ(phone.expect_element().attribute("type"), "result");
    romeo.read_on();
    EXPECT_EQ(read_page(romeo).ids.size(), 100U);
}

TEST(Archive, lets_so_many_queries_of_an_account_wait) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    fill(harness.online(kJuliet), romeo, 100, 8000);
    romeo.stop_reading();
    query(romeo, "q", "<max>1000</max>");
    harness.advance(1s);
    for (std::size_t i = 0; i <= ArchiveQueries::kWaitingMax; ++i)
        query(romeo, "w" + std::to_string(i), "<max>0</max>");
    harness.advance(1s);
    romeo.read_on();
    std::vector<std::string> refused;
    std::vector<std::string> answered;
    while (answered.size() + refused.size() < ArchiveQueries::kWaitingMax + 2) {
        const xmpp::Element element = romeo.expect_element();
        if (element.name() != "iq") continue;
        auto& list = element.attribute("type") == "error" ? refused : answered;
        list.emplace_back(element.attribute("id"));
    }
    EXPECT_EQ(refused, (std::vector<std::string>{"w100"}));
    EXPECT_EQ(answered.front(), "q");
    EXPECT_EQ(answered.back(), "w99");
}

TEST(Archive, does_not_look_for_a_client_that_has_gone) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online(kRomeo);
    ScriptedClient& phone = harness.online(kPhone);
    harness.faults().delay(1s);
    for (std::size_t i = 0; i <= ArchiveQueries::kWaitingMax; ++i)
        query(romeo, "q" + std::to_string(i), "<max>1</max>");
    harness.advance(100ms);
    romeo.reset();
    harness.advance(2s);
    // None of what waited does any more, so there is room for others.
    for (int i = 0; i < 10; ++i)
        query(phone, std::to_string(i), "<max>1</max>");
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(read_page(phone).error, "");
}

TEST(Archive, waits_for_acknowledgements_and_reads_them) {
    ServerHarness harness({.config = small_queues()
                                         .with(keys::kUnacknowledgedMax, 100)
                                         .with(keys::kUnacknowledgedBytesMax, 65'536)});
    ScriptedClient& romeo = harness.online(kRomeo);
    ScriptedClient& juliet = harness.online(kJuliet);
    fill(juliet, romeo, 200, 2000);
    romeo.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    EXPECT_EQ(romeo.expect_element().name(), "enabled");
    query(romeo, "q", "<max>1000</max>");
    const Page page = read_page(romeo);
    EXPECT_EQ(page.ids.size(), 200U);
    EXPECT_TRUE(page.fin.complete);
    EXPECT_EQ(harness.metric("c2s_sessions"), 2);
}

// The same with messages that wait offline: they leave the queue part by part.
TEST(Archive, hands_over_a_whole_offline_queue_with_stream_management) {
    ServerHarness harness({.config = small_queues().with(keys::kUnacknowledgedMax, 100)});
    ScriptedClient& juliet = harness.online(kJuliet);
    harness.add_user("romeo@example.org");
    for (int i = 0; i < 300; ++i)
        juliet.send(chat("romeo@example.org", i, 1000));
    juliet.expect_nothing();
    ScriptedClient& romeo = harness.online(kRomeo);
    romeo.send("<enable xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(romeo.expect_element().name(), "enabled");
    query(romeo, "q", "<max>1000</max>");
    const Page page = read_page(romeo);
    ASSERT_EQ(page.ids.size(), 300U);
    EXPECT_EQ(page.ids.back(), "299");
    romeo.send("<presence/>");
    for (;;) {
        const xmpp::Element element = romeo.expect_element();
        if (element.name() != "r") {
            EXPECT_EQ(element.name(), "presence");
            break;
        }
    }
    harness.advance(1s);
    while (romeo.has_event())
        EXPECT_EQ(romeo.expect_element().name(), "r");
}

}  // namespace
}  // namespace server::test

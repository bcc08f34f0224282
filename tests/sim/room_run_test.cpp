// Whole simulated runs with rooms: a server that breaks what is promised of them is found out.
#include "tests/sim/found_out.h"

#include "server/app/shard_server.h"
#include "server/config/core_keys.h"
#include "server/routing/hooks.h"
#include "server/routing/router.h"
#include "tests/support/server_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>

namespace sim {
namespace {

using namespace std::chrono_literals;
using server::StanzaEvent;
using server::Verdict;
using server::test::ServerHarness;

RunOptions small(std::uint64_t seed, std::string_view faults) {
    return {.seed = seed,
            .accounts = 2,
            .time = 1min,
            .faults = *parse_faults(faults),
            .shards = 1,
            .rooms = 2};
}

bool is_owner(std::string_view nick) {
    return nick == "nick 0" || nick == "nick 5";
}

bool is_to_owner(const xmpp::Stanza& stanza) {
    const std::string_view local = stanza.to()->local();
    return local == "hidden0" || local == "hidden5";
}

/// Runs without faults against a server that does `sin` to what its rooms send.
class SinfulRooms : public testing::Test {
protected:
    using Sin = std::function<Verdict(StanzaEvent&)>;
    RunReport run_with(Sin sin, std::uint64_t seed = 10) {
        RunOptions options = small(seed, "none");
        std::optional<server::Subscription> hook;
        options.sabotage = [&](ServerHarness& harness) {
            server = &harness;
            harness.on_server([&] {
                hook.emplace(
                    router().hooks().inbound.add(server::Stage::observe, [&](StanzaEvent& event) {
                        const bool by_room = event.stanza.from() && event.stanza.to() &&
                                             event.stanza.from()->domain().starts_with("rooms.");
                        return by_room && !busy ? sin(event) : Verdict::proceed();
                    }));
            });
        };
        options.stopping = [&] { hook.reset(); };
        return sim::run(options);
    }
    server::Router& router() { return server->group().first().router(); }
    /// Without committing the sin on that as well.
    void route(xmpp::Stanza stanza) {
        busy = true;
        router().route(std::move(stanza));
        busy = false;
    }
    /// A word for everybody that is on its way to one who does not own the room.
    bool is_tenth_word(const StanzaEvent& event) {
        return event.stanza.is_message() && event.stanza.has_body() &&
               event.stanza.message_type() == xmpp::MessageType::groupchat &&
               !is_to_owner(event.stanza) && ++words == 10;
    }
    bool is_entry(const StanzaEvent& event) const {
        return event.stanza.is_presence() && !event.stanza.is_error() &&
               event.stanza.presence_type() == xmpp::PresenceType::available &&
               !is_to_owner(event.stanza);
    }

    ServerHarness* server = nullptr;
    bool busy = false;
    unsigned words = 0;
};

TEST_F(SinfulRooms, are_innocent_without_a_sin) {
    const RunReport report = run_with([](StanzaEvent&) { return Verdict::proceed(); });
    EXPECT_TRUE(report.violations.empty()) << report.violations.front();
    EXPECT_GT(report.rooms.heard, 100U);
    EXPECT_GT(report.rooms.refused, 0U);
}

TEST_F(SinfulRooms, are_found_out_when_they_tell_all_but_one) {
    const RunReport report = run_with([&](StanzaEvent& event) {
        return is_tenth_word(event) ? Verdict::done() : Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "missed"));
}

TEST_F(SinfulRooms, are_found_out_when_they_tell_one_twice) {
    const RunReport report = run_with([&](StanzaEvent& event) {
        if (is_tenth_word(event)) route(event.stanza);
        return Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "again, or too late"));
}

TEST_F(SinfulRooms, are_found_out_when_they_tell_one_in_another_order) {
    std::optional<xmpp::Stanza> held;
    const RunReport report = run_with([&](StanzaEvent& event) {
        if (is_tenth_word(event)) {
            held = event.stanza;
            return Verdict::done();
        }
        const bool is_next = held && event.stanza.to() == held->to() && event.stanza.is_message() &&
                             event.stanza.has_body();
        if (!is_next) return Verdict::proceed();
        route(event.stanza);
        route(*std::exchange(held, std::nullopt));
        return Verdict::done();
    });
    EXPECT_TRUE(complains(report, "again, or too late"));
}

TEST_F(SinfulRooms, are_found_out_when_somebody_is_not_told_who_is_there) {
    const RunReport report = run_with([&](StanzaEvent& event) {
        const bool hides = is_entry(event) && event.stanza.from()->resource() == "nick 2" &&
                           event.stanza.to()->local() == "hidden1";
        return hides ? Verdict::done() : Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "nick 1 sees 4 of 5 occupants"));
}

TEST_F(SinfulRooms, are_found_out_when_they_show_an_address) {
    const RunReport report = run_with([&](StanzaEvent& event) {
        if (is_entry(event))
            event.stanza.append_child(xmpp::Element("x", xmpp::ns::muc_user)
                                          .set_attribute("jid", "hidden4@example.org/phone"));
        return Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "is shown whose account another is"));
}

TEST_F(SinfulRooms, are_found_out_when_one_without_voice_is_heard) {
    const RunReport report = run_with([&](StanzaEvent& event) {
        if (!event.stanza.is_message() || !event.stanza.is_error()) return Verdict::proceed();
        const auto error = event.stanza.error();
        if (!error || error->condition() != xmpp::StanzaCondition::forbidden)
            return Verdict::proceed();
        xmpp::Stanza said = xmpp::Stanza::message(xmpp::MessageType::groupchat);
        said.set_id(event.stanza.id());
        said.set_from(event.stanza.from()->with_resource("nick 6").value());
        said.set_to(*event.stanza.to());
        said.edit().add_text_child("body", event.stanza.id());
        route(std::move(said));
        return Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "of one without voice"));
}

// Not every seed has an owner who bans somebody that others still look at.
TEST_F(SinfulRooms, are_found_out_when_an_outcast_is_inside) {
    bool found_out = false;
    for (std::uint64_t seed = 1; seed <= 20 && !found_out; ++seed) {
        std::map<std::string, xmpp::Stanza> entered;
        const auto bring_back = [&](StanzaEvent& event) {
            const xmpp::Stanza& stanza = event.stanza;
            if (!is_to_owner(stanza)) return Verdict::proceed();
            const std::string nick(stanza.from()->resource());
            if (stanza.is_presence() && stanza.presence_type() == xmpp::PresenceType::available &&
                !is_owner(nick))
                entered.insert_or_assign(nick, stanza);
            if (!stanza.is_iq() || !stanza.is_response()) return Verdict::proceed();
            // Whoever the owner bans is there again.
            ServerHarness& harness = *server;
            harness.sim().at(harness.sim().now() + 100ms, [&] {
                harness.on_server([&] {
                    for (const auto& [name, presence] : entered)
                        route(presence);
                });
            });
            return Verdict::proceed();
        };
        found_out = complains(run_with(bring_back, seed), "sees an outcast inside");
    }
    EXPECT_TRUE(found_out);
}

TEST(SimulatedRooms, find_out_a_database_that_does_not_wait_for_the_disk) {
    const auto unsynced = [](const server::Config& config) {
        return config.with(server::keys::kDurability, server::Durability::process);
    };
    RunOptions options = small(1, "power");
    options.configure = unsynced;
    EXPECT_TRUE(is_found_out(options, "rooms: no rest"));
}

}  // namespace
}  // namespace sim

// The judge of simulated runs: what it must find, and what it must let pass.
#include "tests/sim/message_log.h"

#include <gtest/gtest.h>
#include <chrono>

namespace sim {
namespace {

using namespace std::chrono_literals;

/// Account 0 has device 0; account 1 has devices 1 and 2; account 2 has device 3, without stream
/// management.
class Messages : public testing::Test {
protected:
    Messages() {
        journal.set_clock(world);
        log.add_device(0);
        log.add_device(1);
        log.add_device(1);
        log.add_device(2);
        for (DeviceNumber device = 0; device < 4; ++device)
            log.lineage_begins(device, device != 3);
        pass(1s);
    }

    void pass(base::Duration time) { world.advance(time); }
    MessageKey taken(AccountNumber to = 1) {
        const MessageKey key = log.sent(0, to, std::nullopt);
        pass(1s);
        log.acknowledged(key);
        return key;
    }
    void lose_session(DeviceNumber device, Ending ending) {
        log.lineage_ends(device, ending);
        pass(1s);
        log.lineage_begins(device, device != 3);
    }
    std::size_t found() {
        log.check_end();
        return log.violations().size();
    }

    reactor::SimWorld world{{}};
    Journal journal{false};
    MessageLog log{journal, 1min};
};

TEST_F(Messages, may_all_arrive_at_one_device_or_more) {
    const MessageKey one = taken();
    log.arrived(one, 1, Way::itself, false);
    log.arrived(one, 2, Way::copy, false);
    log.arrived(taken(), 2, Way::itself, false);
    EXPECT_EQ(found(), 0U);
}

TEST_F(Messages, must_not_be_lost_when_they_were_acknowledged) {
    (void)log.sent(0, 1, std::nullopt);
    (void)taken();
    EXPECT_EQ(found(), 1U);
    EXPECT_NE(log.violations().front().find("never arrived"), std::string::npos);
}

TEST_F(Messages, may_be_refused_instead_but_not_as_well) {
    const MessageKey refused = taken();
    log.refused(refused, "service-unavailable");
    EXPECT_EQ(found(), 0U);
    log.arrived(refused, 1, Way::itself, false);
    EXPECT_EQ(found(), 1U);
}

TEST_F(Messages, may_be_lost_with_their_error_when_the_database_failed_and_the_sender_lost_all) {
    (void)taken();
    log.storage_failed();
    lose_session(0, Ending::told);
    EXPECT_EQ(found(), 0U);
}

TEST_F(Messages, must_not_be_shown_twice_in_one_session) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::itself, false);
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 1U);
    log.arrived(key, 1, Way::copy, false);
    EXPECT_EQ(log.violations().size(), 2U);
}

TEST_F(Messages, may_be_shown_twice_when_the_sender_was_in_doubt) {
    const MessageKey key = log.sent(0, 1, std::nullopt);
    log.arrived(key, 1, Way::itself, false);
    log.sent_again(key, true);
    log.arrived(key, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 0U);
    log.arrived(key, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, must_not_be_shown_twice_when_the_sender_knew) {
    const MessageKey key = log.sent(0, 1, std::nullopt);
    log.arrived(key, 1, Way::itself, false);
    log.sent_again(key, false);
    log.arrived(key, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, may_come_again_to_a_device_that_could_not_acknowledge_them) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::itself, false);
    lose_session(1, Ending::lost);
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, must_not_come_again_when_the_device_had_time_to_acknowledge_them) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::itself, false);
    pass(5min);
    log.heard_from(1);
    lose_session(1, Ending::lost);
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, must_not_come_again_when_the_server_was_told) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::itself, false);
    lose_session(1, Ending::told);
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, must_keep_the_order_of_their_sender) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::itself, false);
    log.arrived(one, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, may_come_before_the_copy_of_an_older_one_that_another_device_was_sent) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::itself, false);
    log.arrived(one, 1, Way::copy, false);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, must_keep_the_order_of_their_sender_as_copies_too) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::copy, false);
    log.arrived(one, 1, Way::copy, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, may_come_late_from_a_session_that_ended) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::itself, false);
    lose_session(2, Ending::lost);
    log.arrived(one, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, must_not_come_from_somebody_who_was_blocked_before) {
    const MessageKey before = taken();
    log.blocking(1, 0);
    log.blocked(1, 0);
    log.arrived(before, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 0U);
    pass(1s);
    const MessageKey after = taken();
    log.arrived(after, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
    log.unblocking(1, 0);
    log.unblocked(1, 0);
    log.arrived(taken(), 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, must_be_in_both_archives_once_and_in_order) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    for (const MessageKey& key : {one, two})
        log.arrived(key, 1, Way::itself, false);
    log.archive_of(0, {one, two});
    log.archive_of(1, {one, two});
    log.archive_of(2, {one, two});
    EXPECT_EQ(found(), 0U);
    log.archive_of(0, {one, one, two});
    EXPECT_EQ(found(), 1U);
    log.archive_of(0, {two, one});
    EXPECT_EQ(found(), 2U);
    log.archive_of(0, {two});
    EXPECT_EQ(found(), 3U);
    log.archive_of(0, {one, two});
    log.archive_of(2, {one});
    EXPECT_EQ(found(), 4U);
}

TEST_F(Messages, may_be_lost_on_their_way_to_a_device_without_stream_management) {
    (void)taken(2);
    lose_session(3, Ending::lost);
    EXPECT_EQ(found(), 0U);
}

TEST_F(Messages, may_be_lost_on_their_way_to_a_device_that_does_not_know_it_was_let_in) {
    log.login_begins(2);
    pass(1s);
    const MessageKey to_it = log.sent(0, 1, DeviceNumber(2));
    log.acknowledged(to_it);
    log.login_fails(2);
    EXPECT_EQ(found(), 0U);
}

TEST_F(Messages, must_not_be_lost_when_a_login_failed_long_before_or_of_another_device) {
    log.login_begins(2);
    log.login_fails(2);
    log.acknowledged(log.sent(0, 1, DeviceNumber(1)));
    log.acknowledged(log.sent(0, 1, std::nullopt));
    pass(2min);
    log.acknowledged(log.sent(0, 1, DeviceNumber(2)));
    EXPECT_EQ(found(), 3U);
}

TEST_F(Messages, must_not_be_lost_when_no_session_was) {
    (void)taken(2);
    EXPECT_EQ(found(), 1U);
}

TEST_F(Messages, must_not_come_from_the_queue_when_the_archive_gave_them) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::archive, false);
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, may_come_again_when_storage_refused_for_long_to_note_that_the_device_had_them) {
    const MessageKey key = taken();
    log.arrived(key, 1, Way::itself, false);
    log.storage_fails();
    lose_session(1, Ending::told);
    log.storage_mended();
    log.arrived(key, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, may_come_behind_those_of_the_next_session_when_they_were_not_acknowledged) {
    const MessageKey left = log.sent(0, 1, std::nullopt);
    lose_session(0, Ending::lost);
    const MessageKey next = taken();
    log.arrived(next, 1, Way::itself, false);
    log.arrived(left, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, must_not_come_behind_those_of_the_next_session_when_they_were_acknowledged) {
    const MessageKey first = taken();
    lose_session(0, Ending::told);
    const MessageKey next = taken();
    log.arrived(next, 1, Way::itself, false);
    log.arrived(first, 1, Way::itself, false);
    EXPECT_EQ(log.violations().size(), 1U);
}

TEST_F(Messages, may_come_late_when_the_device_that_they_waited_for_has_been_away) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::itself, false);
    log.went_away(2);
    log.arrived(one, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 0U);
}

TEST_F(Messages, must_not_come_late_while_all_devices_are_there) {
    const MessageKey one = taken();
    const MessageKey two = taken();
    log.arrived(two, 1, Way::itself, false);
    log.arrived(one, 1, Way::itself, true);
    EXPECT_EQ(log.violations().size(), 1U);
}

}  // namespace
}  // namespace sim

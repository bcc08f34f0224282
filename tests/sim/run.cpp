#include "tests/sim/run.h"

#include "server/config/core_keys.h"
#include "tests/sim/crowd.h"
#include "tests/sim/final_checks.h"
#include "tests/sim/room_crowd.h"
#include "tests/sim/seeded_openssl.h"
#include "tests/sim/weather.h"

#include <fmt/format.h>
#include <chrono>
#include <exception>
#include <optional>

namespace sim {
namespace {

using namespace std::chrono_literals;
namespace keys = server::keys;
using server::test::ServerHarness;

/// Everybody must be back and answered so long after the sessions that nobody resumes are over.
constexpr base::Duration kPeaceMax = 5min;
constexpr base::Duration kLastWordsMax = 2min;
constexpr base::Duration kQuiet = 20s;
/// After which the server has forgotten even the counts of sessions that ended.
constexpr base::Duration kForgotten = 25h;
constexpr std::uint64_t kWorldStream = 3000;
constexpr std::uint64_t kFaultStream = 4000;

/// What the seed decides once for the whole run.
struct Setting {
    server::test::HarnessOptions harness;
    base::Duration resume_timeout;
    base::Duration latency_max;
    base::Duration storage_delay{};
    base::Duration session_max{};  ///< Of one whose client says nothing any more.
};

// As small as they may be: what happens at the caps happens seldom otherwise.
server::Config with_small_caps(const server::Config& config) {
    return config.with(keys::kOutboundQueueMax, keys::kOutboundQueueMax.min)
        .with(keys::kUnacknowledgedMax, keys::kUnacknowledgedMax.min)
        .with(keys::kUnacknowledgedBytesMax, keys::kUnacknowledgedBytesMax.min)
        .with(keys::kClientStateHeldMax, 3);
}

Setting setting_of(const RunOptions& options, storage::SimDisk& disk, Journal& journal) {
    Chance chance(options.seed, kWorldStream);
    Setting made;
    const std::int64_t resume_s = chance.percent(50) ? chance.between(60, 180) : 30;
    made.resume_timeout = std::chrono::seconds(resume_s);
    made.latency_max = chance.percent(50) ? 5ms : chance.between(base::Duration(20ms), 300ms);
    server::Config& config = made.harness.config;
    const base::Duration ping_after = chance.between(base::Duration(15s), 60s);
    const base::Duration ping_timeout = chance.between(base::Duration(5s), 20s);
    made.session_max = made.resume_timeout + ping_after + ping_timeout;
    config = config.with(keys::kResumeTimeout, made.resume_timeout)
                 .with(keys::kPingAfter, ping_after)
                 .with(keys::kPingTimeout, ping_timeout)
                 .with(keys::kLoginsPerAddressPerMinute, keys::kLoginsPerAddressPerMinute.max);
    const auto shards = static_cast<reactor::ShardId>(1 + chance.below(3));
    made.harness.shards = options.shards == 0 ? shards : options.shards;
    made.harness.seed = options.seed;
    made.harness.disk = &disk;
    made.harness.internet.latency_max = made.latency_max;
    made.harness.internet.segment_max = chance.percent(25) ? 1 + chance.below(200) : 1400;
    made.harness.log = journal.log();
    // Without a delay a commit is the end of the turn that asked for it, and little can happen
    // between.
    if (chance.percent(60)) made.storage_delay = chance.between(base::Duration(100us), 30ms);
    if (chance.percent(25)) config = with_small_caps(config);
    if (options.configure) config = options.configure(config);
    return made;
}

class Run {
public:
    explicit Run(const RunOptions& options)
        : options_(options),
          journal_(options.prints),
          disk_(options.seed),
          setting_(setting_of(options, disk_, journal_)),
          messages_(journal_, setting_.session_max, setting_.resume_timeout),
          harness_(setting_.harness),
          crowd_({harness_, journal_, messages_, options.seed, options.accounts,
                  setting_.resume_timeout}),
          weather_({harness_, disk_, crowd_, journal_, messages_, options.seed,
                    setting_.harness.internet.latency_min, setting_.latency_max,
                    setting_.storage_delay, [this] { started(); }}) {
        journal_.set_clock(harness_.sim());
        if (options.rooms > 0) rooms_.emplace(crowd_, options.seed, options.rooms);
    }
    ~Run() {
        if (options_.stopping) options_.stopping();
        journal_.forget_clock();
    }

    void live() {
        crowd_.make_accounts();
        if (rooms_) rooms_->make_accounts();
        started();
        Chance chance(options_.seed, kFaultStream);
        faults_ = plan_faults(chance, options_.faults, options_.time);
        crowd_.start();
        if (rooms_) rooms_->start();
        if (!weather_.pass(faults_, options_.time))
            return messages_.violation("the world does not come to rest");
        make_peace();
        last_words();
        part();
        messages_.check_end();
    }

    void fill(RunReport& report) {
        for (const std::string& line : journal_.breakdowns())
            messages_.violation(line);
        report.hash = journal_.hash();
        report.violations = messages_.violations();
        report.totals = messages_.totals();
        if (rooms_) report.rooms = rooms_->totals();
        report.faults = faults_;
        report.turns = harness_.sim().turns();
        report.virtual_seconds =
            static_cast<double>(harness_.sim().now().nanoseconds) / 1'000'000'000.0;
    }
    MessageLog& messages() { return messages_; }

private:
    void started() {
        if (options_.sabotage) options_.sabotage(harness_);
    }

    void complain_of_unrest(std::string_view when) {
        for (const auto& phone : crowd_.phones())
            if (!phone->at_rest())
                messages_.violation(
                    fmt::format("{} {}: {}", journal_.now(), when, phone->unrest()));
    }

    // Sessions that nobody comes back for end, and what they had goes to who is there.
    void make_peace() {
        weather_.clear();
        crowd_.calm_down();
        if (rooms_) rooms_->calm_down();
        harness_.advance(setting_.resume_timeout + kQuiet);
        if (!harness_.sim().run_until([this] { return crowd_.all_at_rest(); }, kPeaceMax))
            complain_of_unrest("no rest after the faults");
        if (rooms_) close_rooms();
    }

    void close_rooms() {
        judge_rooms();
        rooms_->go_home();
        if (!harness_.sim().run_until([this] { return rooms_->all_offline(); }, 1min))
            messages_.violation("not every visitor could leave");
    }

    void judge_rooms() {
        reactor::SimWorld& sim = harness_.sim();
        if (!sim.run_until([this] { return rooms_->at_peace(); }, kPeaceMax))
            return rooms_->complain_of_unrest();
        rooms_->say_last_words();
        if (!sim.run_until([this] { return rooms_->last_words_heard(); }, kLastWordsMax))
            rooms_->complain_of_unrest();
        harness_.advance(kQuiet);
        rooms_->look_around();
        if (!sim.run_until([this] { return rooms_->at_peace(); }, kLastWordsMax))
            rooms_->complain_of_unrest();
        rooms_->check();
    }

    void last_words() {
        const base::MonotonicTime from = harness_.sim().now();
        crowd_.say_last_words();
        const auto arrived = [&] {
            return messages_.all_arrived_since(from) && crowd_.all_at_rest();
        };
        if (!harness_.sim().run_until(arrived, kLastWordsMax))
            complain_of_unrest("the last words do not all arrive");
        harness_.advance(kQuiet);
        crowd_.look_at_rosters();
        crowd_.look_at_archives();
        if (!harness_.sim().run_until([this] { return crowd_.all_at_rest(); }, kLastWordsMax))
            complain_of_unrest("no answer about roster or archive");
        harness_.advance(kQuiet);
        check_rosters(crowd_, messages_);
        check_presence(crowd_, messages_);
    }

    void part() {
        crowd_.leave();
        if (!harness_.sim().run_until([this] { return crowd_.all_offline(); }, 1min))
            messages_.violation("not everybody could leave");
        harness_.advance(kForgotten);
        check_server(harness_, messages_);
    }

    RunOptions options_;
    Journal journal_;
    storage::SimDisk disk_;
    Setting setting_;
    MessageLog messages_;
    ServerHarness harness_;
    Crowd crowd_;
    std::optional<RoomCrowd> rooms_;
    Weather weather_;
    std::vector<Fault> faults_;
};

// The certificate is one for the whole process: made from the same numbers whichever run is first.
void seed_process(std::uint64_t seed) {
    seed_openssl(0);
    (void)server::test::identity();
    seed_openssl(seed);
}

}  // namespace

RunReport run(const RunOptions& options) {
    RunReport report;
    seed_process(options.seed);
    try {
        Run made(options);
        try {
            made.live();
        } catch (const std::exception& failure) {
            made.messages().violation(failure.what());
        }
        made.fill(report);
    } catch (const std::exception& failure) {
        report.violations.emplace_back(failure.what());
    }
    return report;
}

}  // namespace sim

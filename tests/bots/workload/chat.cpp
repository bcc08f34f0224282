// chat: pairs of users write to each other.
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/chat_pairs.h"

namespace bots {
namespace {

constexpr server::IntegerKey kUsers{"users", 100, 2, keys::kUsersMax,
                                    "How many users; each has one session and one partner."};
constexpr server::IntegerKey kRate{
    "rate", 1000, 1, keys::kRateMax,
    "Messages per second, all pairs together, in an open loop. Latency counts from the time at "
    "which a message was due, so that a server that falls behind cannot hide it."};
constexpr server::IntegerKey kWindow{
    "window", 4, 1, 10'000,
    "Messages under way per pair in a closed loop: each that comes is answered at once."};

class Chat final : public Workload {
public:
    Chat(Crew& crew, const Settings& settings)
        : pairs_(crew, {.pairs = crew.plan().users / 2,
                        .loop = settings.get(keys::kLoop),
                        .rate = static_cast<std::uint64_t>(settings.get(kRate)),
                        .window = static_cast<std::uint32_t>(settings.get(kWindow))}) {}

    reactor::Deferred<void> run(RunTimes times) override { return pairs_.run(times); }
    void on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict) override {
        pairs_.on_arrival(stamp, verdict);
    }

private:
    ChatPairs pairs_;
};

}  // namespace

WorkloadSpec describe_chat() {
    return {.name = "chat",
            .summary = "pairs of users write to each other",
            .help =
                "Everybody logs in; then the users of each pair write to each other in turns. "
                "In an open loop the rate is fixed: it shows the latency at a load. In a "
                "closed loop the server sets the pace: it shows how much it can take.",
            .keys = {&kUsers, &keys::kLoop, &kRate, &kWindow, &keys::kDuration, &keys::kWarmup,
                     &keys::kBodyBytes, &keys::kAddress, &keys::kLoginsAtOnce, &keys::kRamp,
                     &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Chat>(crew, settings);
            }};
}

}  // namespace bots

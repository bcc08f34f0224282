// ChatPairs: pairs of bots that write to each other, by an open loop or with a window. What the
// workloads chat and churn have in common.
#pragma once

#include "tests/bots/run/crew.h"
#include "tests/bots/workload/common_keys.h"
#include "tests/bots/workload/pacer.h"

#include <cstdint>
#include <memory>

namespace bots {

class ChatPairs {
public:
    struct Options {
        std::uint32_t pairs;  ///< On all shards: the first ones, (0, 1), (2, 3), …
        keys::Loop loop;
        std::uint64_t rate;    ///< Open: messages a second, all pairs together.
        std::uint32_t window;  ///< Closed: messages under way per pair.
    };
    ChatPairs(Crew& crew, Options options);

    reactor::Deferred<void> run(RunTimes times);
    /// To be told of every arrival: the closed loop answers it.
    void on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict);

private:
    void open_windows();

    Crew& crew_;
    Options options_;
    Turns turns_;
    std::unique_ptr<Pacer> pacer_;
    base::MonotonicTime end_;
    bool answering_ = false;
};

}  // namespace bots

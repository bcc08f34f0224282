// RealRun: the loops of this process, one per core, around one piece of work on the first; and
// Ctrl-C, once to end it in order, twice to end at once.
#pragma once

#include "reactor/real_world.h"
#include "reactor/signals.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace bots {

class RealRun {
public:
    explicit RealRun(std::uint32_t cores);
    RealRun(const RealRun&) = delete;
    RealRun& operator=(const RealRun&) = delete;

    /// Runs `work()` on shard 0 until it settles. Blocks.
    void execute(const std::function<reactor::Deferred<void>()>& work);

    reactor::Shards& shards() noexcept { return shards_; }
    reactor::World& world() noexcept { return shards_.world(0); }
    /// Somebody has pressed Ctrl-C.
    const bool& stopped() const noexcept { return stopped_; }
    /// What Ctrl-C does; replaces what it did before.
    void on_stop(std::function<void()> call) { on_stop_ = std::move(call); }
    /// `work`, cancelled by Ctrl-C.
    template <class T>
    reactor::Deferred<T> until_stopped(reactor::Deferred<T> work) {
        on_stop([&work] { work.cancel(); });
        auto result = co_await std::move(work).as_result();
        on_stop({});
        co_return result;
    }

private:
    reactor::RealShards shards_;
    bool stopped_ = false;
    std::function<void()> on_stop_;
    std::unique_ptr<reactor::SignalWatch> signals_;
    std::optional<reactor::Deferred<void>> work_;
};

}  // namespace bots

// A pool of worker processes that looks for prime numbers. The same program is parent and worker:
//   worker_pool [processes, default 2] [limit, default 200000]
// The parent starts its workers, shares ranges among the idlest, survives the death of one (a
// range whose worker died is asked for again) and stops them in order.
#include "reactor/base/text.h"
#include "reactor/combine.h"
#include "reactor/process/worker_group.h"
#include "reactor/run_main.h"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace reactor;

constexpr std::int64_t kRange = 10'000;

std::int64_t primes_between(std::int64_t first, std::int64_t last) {
    std::int64_t count = 0;
    for (std::int64_t candidate = std::max<std::int64_t>(first, 2); candidate < last; ++candidate) {
        bool prime = true;
        for (std::int64_t divisor = 2; prime && divisor * divisor <= candidate; ++divisor)
            prime = candidate % divisor != 0;
        count += prime ? 1 : 0;
    }
    return count;
}

Deferred<int> work(World& world) {
    auto side = WorkerSide::inherited(world);
    if (!side) co_return side.error();
    (*side)->on_request([](ipc::Message message) -> Deferred<ipc::Message> {
        const auto first = base::parse_integer(message.bytes);
        if (!first) return base::Failure(base::Errc::invalid_argument, "not a number");
        return ipc::Message{std::to_string(primes_between(*first, *first + kRange))};
    });
    if (auto said = (*side)->hello(); !said) co_return said.error();
    Deferred<void> stopping = (*side)->when_stopped();
    (void)co_await std::move(stopping);
    co_return 0;
}

Deferred<std::int64_t> count_range(World& world, WorkerGroup& group, std::int64_t first) {
    const Backoff backoff{.attempts_max = 20};
    const auto ask = [&group, first] { return group.request_any({std::to_string(first)}); };
    Deferred<ipc::Message> asking =
        retry(world, backoff, ask, [](const base::Failure&) { return true; });
    const base::Result<ipc::Message> answer = co_await std::move(asking);
    if (!answer) co_return answer.error();
    co_return base::parse_integer(answer->bytes).value_or(0);
}

// Takes ranges until there are none left.
Deferred<std::int64_t> count_ranges(World& world, WorkerGroup& group, std::int64_t& next,
                                    std::int64_t limit) {
    std::int64_t total = 0;
    while (next < limit) {
        Deferred<std::int64_t> counting =
            count_range(world, group, std::exchange(next, next + kRange));
        const base::Result<std::int64_t> count = co_await std::move(counting);
        if (!count) co_return count.error();
        total += *count;
    }
    co_return total;
}

Deferred<int> lead(World& world, std::size_t processes, std::int64_t limit) {
    auto spawner = make_process_spawner(world);
    ProcessSpec spec;
    spec.executable = "/proc/self/exe";
    spec.arguments = {"worker_pool", "--worker"};
    WorkerGroup group(world, launch_program(world, *spawner, spec), {.count = processes});
    Deferred<void> starting = group.start();
    const base::Result<void> started = co_await std::move(starting);
    if (!started) co_return started.error();
    std::printf("workers");
    for (std::size_t i = 0; i < processes; ++i)
        std::printf(" %lld", static_cast<long long>(group.pid(i)));
    std::printf("\n");
    std::fflush(stdout);

    std::int64_t next = 0;
    std::vector<Deferred<std::int64_t>> lanes;
    for (std::size_t i = 0; i < 2 * processes; ++i)
        lanes.push_back(count_ranges(world, group, next, limit));
    const base::Result<std::vector<std::int64_t>> counts = co_await when_all(std::move(lanes));
    if (!counts) co_return counts.error();
    std::int64_t total = 0;
    for (const std::int64_t count : *counts)
        total += count;
    std::printf("%lld primes\n", static_cast<long long>(total));
    Deferred<void> stopping = group.stop();
    (void)co_await std::move(stopping);
    co_return 0;
}

Deferred<int> worker_pool(World& world, std::vector<std::string> arguments) {
    if (!arguments.empty() && arguments[0] == "--worker") return work(world);
    const int processes = arguments.empty() ? 2 : std::atoi(arguments[0].c_str());
    const int limit = arguments.size() < 2 ? 200'000 : std::atoi(arguments[1].c_str());
    return lead(world, static_cast<std::size_t>(std::max(processes, 1)), limit);
}

}  // namespace

int main(int argc, char** argv) {
    return run_main(worker_pool, argc, argv);
}

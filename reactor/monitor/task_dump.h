// What is alive on a shard and what it waits for: every task of every TaskSet, every Task, all
// detached work, each with its chain of co_awaits from the outside in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

class Reactor;

namespace detail {
class Node;
}

struct LiveTask {
    std::string name;
    /// "session.cpp:120", …, and at the end what the innermost waits for: "sleep", "promise",
    /// "event", the name of a lock, … Empty: it is about to run.
    std::vector<std::string> waits;
};

/// Chains are cut at this many steps.
constexpr std::size_t kTraceDepthMax = 64;

/// Shard only. Costs nothing but when it is called.
std::vector<LiveTask> live_tasks(Reactor& reactor);
/// The chain of one pending node (`deferred.node()`), which may be null.
std::vector<std::string> await_chain(const detail::Node* node);
/// One line per task: "roster.load: roster.cpp:51 < retry.h:40 < sleep".
std::string dump_tasks(Reactor& reactor);

}  // namespace reactor

// IdleParsers: gives back the memory of parsers whose streams are quiet. One list per shard, oldest
// first, and one timer for all of it: an idle stream costs no timer and no scan.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/reactor.h"
#include "reactor/timers.h"

#include <chrono>

namespace server {

/// How long a parser is kept after its last byte; up to a fifth less.
inline constexpr base::Duration kParserIdle = std::chrono::seconds(5);

class IdleParsers final : private reactor::Timer {
public:
    /// A parser in the list; embedded in its stream, leaves the list when destroyed.
    class Entry {
    public:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

    protected:
        ~Entry() { leave(); }
        void leave() noexcept;
        /// Frees what it can; false: it is in the middle of something, ask again later.
        virtual bool release_parser() = 0;

    private:
        friend class IdleParsers;
        IdleParsers* list_ = nullptr;
        Entry* next_ = nullptr;
        Entry* previous_ = nullptr;
        base::MonotonicTime used_at_;
    };

    explicit IdleParsers(reactor::Reactor& reactor) : reactor_(reactor) {}

    /// The parser was used just now.
    void touch(Entry& entry);

private:
    void on_expired() override;
    void append(Entry& entry);
    void unlink(Entry& entry) noexcept;

    reactor::Reactor& reactor_;
    Entry* first_ = nullptr;
    Entry* last_ = nullptr;
};

}  // namespace server

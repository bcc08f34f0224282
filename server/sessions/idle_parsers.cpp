#include "server/sessions/idle_parsers.h"

namespace server {

void IdleParsers::Entry::leave() noexcept {
    if (list_ != nullptr) list_->unlink(*this);
}

void IdleParsers::touch(Entry& entry) {
    if (entry.list_ != nullptr) {
        // Moving it touches its neighbours, which are far away in memory.
        if (reactor_.now() - entry.used_at_ < kParserIdle / 5) return;
        unlink(entry);
    }
    append(entry);
    if (!armed()) reactor_.arm(*this, kParserIdle);
}

void IdleParsers::append(Entry& entry) {
    entry.list_ = this;
    entry.used_at_ = reactor_.now();
    entry.next_ = nullptr;
    entry.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &entry;
    last_ = &entry;
}

void IdleParsers::unlink(Entry& entry) noexcept {
    (entry.previous_ != nullptr ? entry.previous_->next_ : first_) = entry.next_;
    (entry.next_ != nullptr ? entry.next_->previous_ : last_) = entry.previous_;
    entry.list_ = nullptr;
    entry.next_ = entry.previous_ = nullptr;
}

void IdleParsers::on_expired() {
    const base::MonotonicTime now = reactor_.now();
    // One that is in the middle of a stanza goes to the back with a new stamp, so this ends.
    while (first_ != nullptr && first_->used_at_ + kParserIdle <= now) {
        Entry& oldest = *first_;
        unlink(oldest);
        if (!oldest.release_parser()) append(oldest);
    }
    if (first_ != nullptr) reactor_.arm(*this, first_->used_at_ + kParserIdle - now);
}

}  // namespace server

// Pausing a Deferred: its result is held back until every PauseToken is gone. What produces it goes
// on meanwhile; to hold the work itself use a Task (reactor/task/task.h).
#pragma once

#include "reactor/deferred.h"

#include <cstddef>
#include <utility>

namespace reactor {

namespace detail {

/// What tokens and node share; gone when both sides are.
class PauseGate {
public:
    virtual void resumed() noexcept = 0;
    virtual void token_gone() noexcept = 0;
    virtual void token_added() noexcept = 0;

protected:
    ~PauseGate() = default;
};

template <class T>
class PauseNode final : public ValueNode<T>,
                        public PauseGate,
                        public ReadyItem,
                        public FrameAllocated {
public:
    explicit PauseNode(Deferred<T> source) : source_(std::move(source)) { source_.notify(*this); }

    void cancel() noexcept override {
        if (!this->settled()) source_.cancel();
    }
    void drop() noexcept override {
        this->set_waiter(nullptr);
        withdraw();
        dropped_ = true;
        Deferred<T> source = std::move(source_);
        this->result_.reset();
        free_if_unused();
    }
    Hop hop() const noexcept override { return {"pause", {}, source_.node()}; }

    void token_added() noexcept override { ++tokens_; }
    void token_gone() noexcept override {
        --tokens_;
        free_if_unused();
    }
    void resumed() noexcept override {
        if (--pauses_ == 0 && arrived_ && !dropped_ && !this->settled()) deliver();
    }
    void pause() noexcept { ++pauses_; }

private:
    void run() override {
        arrived_ = true;
        if (pauses_ == 0) deliver();
    }
    void deliver() noexcept { this->settle(source_.take()); }
    void free_if_unused() noexcept {
        if (dropped_ && tokens_ == 0) delete this;
    }

    Deferred<T> source_;
    std::size_t pauses_ = 0;
    std::size_t tokens_ = 0;
    bool arrived_ = false;
    bool dropped_ = false;
};

}  // namespace detail

/// One pause of one Deferred; ends with `resume` or its own end. May outlive the Deferred.
class [[nodiscard]] PauseToken {
public:
    PauseToken(PauseToken&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)), pausing_(other.pausing_) {}
    PauseToken& operator=(PauseToken&& other) noexcept {
        if (this == &other) return *this;
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
        pausing_ = other.pausing_;
        return *this;
    }
    ~PauseToken() { leave(); }

    /// A second time it has no effect.
    void resume() noexcept {
        if (gate_ && std::exchange(pausing_, false)) gate_->resumed();
    }

private:
    template <class T>
    friend PauseToken pause(Deferred<T>& deferred);
    explicit PauseToken(detail::PauseGate& gate) noexcept : gate_(&gate) { gate.token_added(); }
    void leave() noexcept {
        resume();
        if (gate_) std::exchange(gate_, nullptr)->token_gone();
    }

    detail::PauseGate* gate_;
    bool pausing_ = true;
};

/// Holds the result of `deferred` back; pauses count. A cancelled one stays paused and delivers
/// `cancelled` when resumed. Precondition: nobody waits for it yet.
template <class T>
PauseToken pause(Deferred<T>& deferred) {
    auto* node = new detail::PauseNode<T>(std::move(deferred));
    node->pause();
    deferred = Deferred<T>(*node);
    return PauseToken(*node);
}

}  // namespace reactor

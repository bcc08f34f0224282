// Lifetime: lets a member function notice that what it called has destroyed its object. Internal to
// tests/bots/client.
#pragma once

namespace bots {

class Lifetime {
public:
    /// On the stack of the function that wants to know. Nests.
    class Watch {
    public:
        explicit Watch(Lifetime& lifetime) noexcept
            : lifetime_(lifetime), outer_(lifetime.innermost_) {
            lifetime.innermost_ = this;
        }
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        ~Watch() {
            if (!over_) lifetime_.innermost_ = outer_;
        }
        /// The object is gone: return without touching it.
        bool over() const noexcept { return over_; }

    private:
        friend class Lifetime;
        Lifetime& lifetime_;
        Watch* outer_;
        bool over_ = false;
    };

    Lifetime() = default;
    Lifetime(const Lifetime&) = delete;
    Lifetime& operator=(const Lifetime&) = delete;
    ~Lifetime() {
        for (Watch* watch = innermost_; watch != nullptr; watch = watch->outer_)
            watch->over_ = true;
    }

private:
    Watch* innermost_ = nullptr;
};

}  // namespace bots

// SaltedPasswords: PBKDF2 done once per password, salt, count and hash, in the blocking pool
// (RFC 5802 §5.1 allows a client to keep the result). Who asks for one that is being computed waits
// for that computation, and no more of them run at a time than the pool has room for.
#pragma once

#include "reactor/deferred.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "xmpp/sasl/client.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bots {

class SaltedPasswords {
public:
    /// Computations handed to the pool and not back; the others wait here.
    static constexpr std::size_t kRunningMax = 64;

    /// Keeps `entries_max`; the oldest goes first.
    SaltedPasswords(reactor::World& world, std::size_t entries_max);
    SaltedPasswords(const SaltedPasswords&) = delete;
    SaltedPasswords& operator=(const SaltedPasswords&) = delete;
    /// Who waits gets broken_promise.
    ~SaltedPasswords();

    /// The salted password. Fails with invalid_argument (the password, salt or count is outside the
    /// limits of xmpp/sasl/scram_keys.h) or what the pool says.
    reactor::Deferred<std::string> find(const xmpp::sasl::NeedSaltedPassword& wanted,
                                        std::string_view password);

    std::size_t size() const noexcept { return entries_.size(); }
    std::uint64_t computed() const noexcept { return computed_; }

private:
    struct Job {
        xmpp::sasl::NeedSaltedPassword wanted;
        std::string password;
        std::vector<reactor::Promise<std::string>> waiting;
    };

    void start_some();
    reactor::Deferred<void> compute(std::string key);
    void keep(const std::string& key, const std::string& salted);

    reactor::World& world_;
    std::size_t entries_max_;
    std::uint64_t computed_ = 0;
    std::size_t running_ = 0;
    std::unordered_map<std::string, std::string> entries_;
    std::deque<const std::string*> oldest_first_;  // Keys inside entries_.
    std::unordered_map<std::string, Job> jobs_;    // Waiting to run, or running.
    std::deque<std::string> to_run_;
    reactor::TaskSet tasks_;
};

}  // namespace bots

#include "tests/bots/client/salted_passwords.h"

#include "reactor/blocking_pool.h"
#include "xmpp/sasl/scram_keys.h"

#include <utility>

namespace bots {
namespace {

std::string key_of(const xmpp::sasl::NeedSaltedPassword& wanted, std::string_view password) {
    std::string key(xmpp::sasl::name_of(wanted.hash));
    key += ':' + std::to_string(wanted.iterations) + ':' + std::to_string(wanted.salt.size()) + ':';
    key += wanted.salt;
    key += password;
    return key;
}

}  // namespace

SaltedPasswords::SaltedPasswords(reactor::World& world, std::size_t entries_max)
    : world_(world), entries_max_(entries_max), tasks_(world.reactor) {}

SaltedPasswords::~SaltedPasswords() = default;

reactor::Deferred<std::string> SaltedPasswords::find(const xmpp::sasl::NeedSaltedPassword& wanted,
                                                     std::string_view password) {
    std::string key = key_of(wanted, password);
    if (const auto found = entries_.find(key); found != entries_.end())
        return base::Result<std::string>(found->second);
    const auto [job, is_new] = jobs_.try_emplace(key);
    reactor::Promise<std::string>& promise = job->second.waiting.emplace_back();
    reactor::Deferred<std::string> answer = promise.deferred();
    if (is_new) {
        job->second.wanted = wanted;
        job->second.password = password;
        to_run_.push_back(std::move(key));
        start_some();
    }
    return answer;
}

void SaltedPasswords::start_some() {
    while (running_ < kRunningMax && !to_run_.empty()) {
        ++running_;
        std::string key = std::move(to_run_.front());
        to_run_.pop_front();
        tasks_.add("bots.salted_password", compute(std::move(key)));
    }
}

reactor::Deferred<void> SaltedPasswords::compute(std::string key) {
    const Job& asked = jobs_.at(key);
    reactor::Deferred<std::string> salting = world_.blocking.run(
        reactor::WorkClass::crypto, [wanted = asked.wanted, password = asked.password] {
            return xmpp::sasl::salt_password(wanted.hash, password, wanted.salt, wanted.iterations);
        });
    const base::Result<std::string> salted = co_await std::move(salting).as_result();
    --running_;
    ++computed_;
    if (salted) keep(key, *salted);
    auto job = jobs_.extract(key);
    for (reactor::Promise<std::string>& promise : job.mapped().waiting)
        promise.try_resolve(salted);
    start_some();
    co_return {};
}

void SaltedPasswords::keep(const std::string& key, const std::string& salted) {
    if (entries_max_ == 0) return;
    if (entries_.size() >= entries_max_) {
        const auto oldest = entries_.find(*oldest_first_.front());
        oldest_first_.pop_front();
        entries_.erase(oldest);
    }
    const auto [entry, is_new] = entries_.try_emplace(key, salted);
    if (is_new) oldest_first_.push_back(&entry->first);
}

}  // namespace bots

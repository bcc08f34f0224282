// What connected clients can do, learned from their presence (XEP-0115): a cache of verified
// disco#info answers, shared by all clients that announce the same hash.
#pragma once

#include "xmpp/payloads/caps.h"
#include "xmpp/payloads/disco.h"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace server::modules {

class CapsCache {
public:
    /// Hashes remembered; when full, the cache starts over.
    static constexpr std::size_t kEntriesMax = 5'000;

    /// Null when that hash was not verified yet.
    const xmpp::DiscoInfo* find(const xmpp::Caps& caps) const;
    /// Keeps `info` if it is what `caps` promises; says whether it did. An unverified answer must
    /// not be used for any other client (§5.4).
    bool add(const xmpp::Caps& caps, xmpp::DiscoInfo info);
    std::size_t size() const { return entries_.size(); }

private:
    std::unordered_map<std::string, std::unique_ptr<xmpp::DiscoInfo>> entries_;  // "hash ver"
};

}  // namespace server::modules

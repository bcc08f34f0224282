// IqTracker: the requests that a client has under way, and which response answers which. A response
// counts only when its id is known and it comes from whom the request went to (RFC 6120 §8.2.3,
// §8.1.2.1): ids can be guessed, addresses are stamped by the server.
#pragma once

#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace xmpp {

/// Whether a response from `from` may answer a request that the client `own` (full JID) sent to
/// `to`. Sent to nobody: the server answers for the account, as nobody, the bare JID, the full JID
/// (as RFC 3920 had it) or the server. To the own bare JID or the server: as that or as nobody. To
/// anybody else: as exactly that.
bool may_answer_iq(const Jid& own, const std::optional<Jid>& to,
                   const std::optional<Jid>& from) noexcept;

/// `Request` is whatever its owner needs to go on when the answer is there.
template <class Request>
class IqTracker {
public:
    /// The id for the next request; starts with `prefix`. Ids never repeat within a tracker.
    std::string next_id(std::string_view prefix) {
        return std::string(prefix) + std::to_string(++last_id_);
    }

    /// False when the id is in use already.
    bool add(std::string id, std::optional<Jid> to, Request request) {
        return requests_.try_emplace(std::move(id), std::move(to), std::move(request)).second;
    }

    /// The request that `response` (an iq of type result or error) answers, which is forgotten.
    /// nullopt: none, the response is to be dropped.
    std::optional<Request> take(const Jid& own, const Stanza& response) {
        if (requests_.empty()) return std::nullopt;
        const auto found = requests_.find(std::string(response.id()));
        if (found == requests_.end()) return std::nullopt;
        if (!may_answer_iq(own, found->second.to, response.from())) return std::nullopt;
        std::optional<Request> request = std::move(found->second.request);
        requests_.erase(found);
        return request;
    }

    /// Given up.
    std::optional<Request> remove(const std::string& id) {
        const auto found = requests_.find(id);
        if (found == requests_.end()) return std::nullopt;
        std::optional<Request> request = std::move(found->second.request);
        requests_.erase(found);
        return request;
    }
    std::vector<Request> take_all() {
        std::vector<Request> all;
        all.reserve(requests_.size());
        for (auto& [id, entry] : requests_)
            all.push_back(std::move(entry.request));
        requests_.clear();
        return all;
    }
    std::size_t size() const noexcept { return requests_.size(); }

private:
    struct Entry {
        Entry(std::optional<Jid> its_to, Request its_request)
            : to(std::move(its_to)), request(std::move(its_request)) {}
        std::optional<Jid> to;
        Request request;
    };

    std::unordered_map<std::string, Entry> requests_;
    std::uint64_t last_id_ = 0;
};

}  // namespace xmpp

// BeforeLogin: the one thing a client may ask before it is authenticated, in-band registration
// (XEP-0077 §3.1, RFC 6120 §4.9.3.12 notwithstanding). The module answers; the session carries.
#pragma once

#include "reactor/deferred.h"
#include "server/routing/iq_routes.h"

#include <string_view>

namespace server {

class BeforeLogin {
public:
    /// Whether `host` takes registrations now: advertised in the stream features, over TLS only.
    virtual bool is_open(std::string_view host) const = 0;
    /// An IQ get or set in jabber:iq:register. `from` is absent, the addressee is the host;
    /// `peer_address` is the numeric address of the client, for limits. Not called unless
    /// is_open().
    virtual reactor::Deferred<IqReply> answer(IqRequest request, std::string_view peer_address) = 0;

protected:
    ~BeforeLogin() = default;
};

}  // namespace server

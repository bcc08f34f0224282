#include "server/routing/iq_routes.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <unordered_map>

namespace server {
namespace {

// "get urn:xmpp:ping ping": one string as key; requests are looked up with a buffer of the caller.
void build_key(std::string& key, xmpp::IqType type, IqTarget target, QualifiedName payload) {
    key.clear();
    key.push_back(type == xmpp::IqType::get ? 'g' : 's');
    key.push_back(static_cast<char>('0' + static_cast<unsigned>(target)));
    key.append(payload.ns).push_back(' ');
    key.append(payload.name);
}

}  // namespace

struct IqRoutes::Impl {
    std::unordered_map<std::string, Handler> handlers;
    std::vector<QualifiedName> queries;
    mutable std::string key;  // Reused by find(), so that looking up does not allocate.

    Subscription add(xmpp::IqType type, IqTarget targets, QualifiedName payload, Handler handler) {
        std::vector<std::string> keys;
        for (const IqTarget target :
             {IqTarget::server, IqTarget::account, IqTarget::self, IqTarget::nobody}) {
            if ((static_cast<unsigned>(targets) & static_cast<unsigned>(target)) == 0) continue;
            std::string name;
            build_key(name, type, target, payload);
            CHECK(handlers.emplace(name, handler).second);
            keys.push_back(std::move(name));
        }
        return Subscription([this, keys = std::move(keys)] {
            for (const std::string& name : keys)
                handlers.erase(name);
        });
    }

    const Handler* look_up(xmpp::IqType type, IqTarget target, QualifiedName payload) const {
        build_key(key, type, target, payload);
        const auto found = handlers.find(key);
        return found == handlers.end() ? nullptr : &found->second;
    }
};

IqRoutes::IqRoutes() : impl_(std::make_unique<Impl>()) {}
IqRoutes::~IqRoutes() = default;

Subscription IqRoutes::on_get(IqTarget targets, QualifiedName payload, Handler handler) {
    return impl_->add(xmpp::IqType::get, targets, payload, std::move(handler));
}

Subscription IqRoutes::on_set(IqTarget targets, QualifiedName payload, Handler handler) {
    return impl_->add(xmpp::IqType::set, targets, payload, std::move(handler));
}

Subscription IqRoutes::on_query(IqTarget targets, QualifiedName payload, Handler handler) {
    impl_->queries.push_back(payload);
    return impl_->add(xmpp::IqType::set, targets, payload, std::move(handler));
}

bool IqRoutes::is_query(const xmpp::Element& payload) const {
    return std::ranges::any_of(
        impl_->queries, [&](const QualifiedName& name) { return payload.is(name.name, name.ns); });
}

const IqRoutes::Handler* IqRoutes::find(const IqRequest& request, IqTarget target,
                                        bool& refused) const {
    refused = false;
    const xmpp::Element& payload = request.payload();
    const QualifiedName name{payload.ns(), payload.name()};
    const xmpp::IqType type = request.stanza().iq_type();
    if (target == IqTarget::server || target == IqTarget::nobody)
        return impl_->look_up(type, target, name);
    const Handler* own = impl_->look_up(type, IqTarget::self, name);
    if (own != nullptr && request.own()) return own;
    const Handler* any = impl_->look_up(type, IqTarget::account, name);
    refused = any == nullptr && own != nullptr;
    return any;
}

}  // namespace server

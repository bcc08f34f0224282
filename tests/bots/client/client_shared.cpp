#include "tests/bots/client/client_shared.h"

#include "tests/bots/client/client_shared_impl.h"

#include <algorithm>
#include <utility>

namespace bots {

FeatureNames::FeatureNames(const xmpp::Element& features) {
    for (const xmpp::Element& feature : features.children())
        names_.push_back(feature.name() + ' ' + std::string(feature.ns()));
}

bool FeatureNames::has(std::string_view name, std::string_view ns) const {
    return std::ranges::any_of(names_, [name, ns](std::string_view known) {
        return known.size() == name.size() + 1 + ns.size() && known.starts_with(name) &&
               known[name.size()] == ' ' && known.ends_with(ns);
    });
}

ClientShared::Impl::Impl(Parts parts)
    : world(parts.world),
      resolver(parts.resolver),
      tls(std::move(parts.tls)),
      salted_passwords(parts.world, parts.salted_passwords_max),
      idle(parts.world.reactor),
      id_prefix(parts.world.entropy.token(6)) {}

std::shared_ptr<const FeatureNames> ClientShared::Impl::share(const xmpp::Element& of) {
    FeatureNames names(of);
    if (features == nullptr || *features != names)
        features = std::make_shared<const FeatureNames>(std::move(names));
    return features;
}

ClientShared::ClientShared(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

ClientShared::~ClientShared() = default;

}  // namespace bots

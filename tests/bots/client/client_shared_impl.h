// What is behind ClientShared. Internal to tests/bots/client.
#pragma once

#include "server/sessions/idle_parsers.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/client/salted_passwords.h"
#include "xmpp/core/element.h"
#include "xmpp/xml/parser_pool.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bots {

/// The names of stream features; the clients of one server share one.
class FeatureNames {
public:
    explicit FeatureNames(const xmpp::Element& features);
    bool has(std::string_view name, std::string_view ns) const;
    friend bool operator==(const FeatureNames&, const FeatureNames&) = default;

private:
    std::vector<std::string> names_;  // "name namespace"
};

struct ClientShared::Impl {
    explicit Impl(Parts parts);

    /// The same names as one object.
    std::shared_ptr<const FeatureNames> share(const xmpp::Element& features);

    reactor::World& world;
    reactor::Resolver* resolver;
    std::shared_ptr<const reactor::TlsClientContext> tls;
    SaltedPasswords salted_passwords;
    server::IdleParsers idle;
    xmpp::ParserPool parsers;
    std::string id_prefix;  ///< Of the ids of requests.
    std::string scratch;    ///< For one stanza at a time, to be written; nobody keeps bytes in it.
    std::shared_ptr<const FeatureNames> features;
    std::shared_ptr<const xmpp::Element> login_features;  ///< Null until somebody has seen them.
    std::array<std::byte, 65'536> read_buffer;  ///< Every read of the shard goes here first.
};

}  // namespace bots

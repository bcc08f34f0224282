#include "reactor/net/endpoint_text.h"

#include "reactor/base/text.h"
#include "reactor/combine.h"
#include "reactor/connect_any.h"
#include "reactor/resolver.h"
#include "reactor/tcp_adopt.h"
#include "reactor/world.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kEndpointBytesMax = 1024;
constexpr std::int64_t kTimeoutSecondsMax = 3600;
constexpr std::int64_t kBacklogMax = 65'535;

struct Part {
    std::string whole;
    std::string name;   ///< Of "name=value"; empty when there is no '='.
    std::string value;  ///< The whole when there is none.
};

std::unexpected<base::Failure> refuse(std::string_view text, std::string why) {
    return fail(Errc::invalid_argument, "endpoint \"" + std::string(text) + "\": " + why);
}

// Splits at colons that are neither escaped nor in brackets; "name=value" is taken apart where an
// unescaped '=' stands.
Result<std::vector<Part>> split_parts(std::string_view text) {
    if (text.size() > kEndpointBytesMax) return refuse(text.substr(0, 40), "too long");
    std::vector<Part> parts(1);
    bool escaped = false;
    bool in_brackets = false;
    for (const char c : text) {
        Part& part = parts.back();
        const bool literal = std::exchange(escaped, false);
        if (!literal && c == '\\') {
            escaped = true;
        } else if (!literal && c == '[' && part.value.empty()) {
            in_brackets = true;
        } else if (!literal && c == ']' && in_brackets) {
            in_brackets = false;
        } else if (!literal && c == ':' && !in_brackets) {
            parts.emplace_back();
        } else {
            part.whole += c;
            const bool splits = !literal && c == '=' && part.name.empty() && !part.value.empty();
            if (splits) {
                part.name = std::exchange(part.value, {});
            } else {
                part.value += c;
            }
        }
    }
    if (escaped) return refuse(text, "a backslash at its end");
    if (in_brackets) return refuse(text, "a bracket that is not closed");
    return parts;
}

/// The parts of one endpoint, to be taken one by one; what is left over is an error.
class Parts {
public:
    Parts(std::string_view text, std::vector<Part> parts) : text_(text), parts_(std::move(parts)) {}

    std::string kind() const { return parts_.front().whole; }
    Result<std::string> place(std::size_t index, std::string_view what) {
        if (index >= parts_.size() || parts_[index].whole.empty())
            return refuse(text_, "no " + std::string(what));
        places_ = std::max(places_, index + 1);
        return parts_[index].whole;
    }
    std::optional<std::string> option(std::string_view name) {
        known_.push_back(name);
        for (std::size_t i = places_; i < parts_.size(); ++i)
            if (parts_[i].name == name) return parts_[i].value;
        return std::nullopt;
    }
    bool flag(std::string_view name) {
        known_.push_back(name);
        for (std::size_t i = places_; i < parts_.size(); ++i)
            if (parts_[i].name.empty() && parts_[i].value == name) return true;
        return false;
    }
    Result<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most,
                                std::int64_t otherwise) {
        const auto value = option(name);
        if (!value) return otherwise;
        const auto parsed = base::parse_integer(*value);
        if (parsed && *parsed >= least && *parsed <= most) return *parsed;
        return refuse(text_, std::string(name) + " is a number from " + std::to_string(least) +
                                 " to " + std::to_string(most));
    }
    /// After everything was asked for.
    Result<void> nothing_else() const {
        for (std::size_t i = places_; i < parts_.size(); ++i) {
            const std::string& name = parts_[i].name.empty() ? parts_[i].value : parts_[i].name;
            const auto same = [&](std::size_t j) {
                return parts_[j].name == parts_[i].name &&
                       (!parts_[i].name.empty() || parts_[j].value == parts_[i].value);
            };
            for (std::size_t j = places_; j < i; ++j)
                if (same(j)) return refuse(text_, name + " is given twice");
            if (std::ranges::find(known_, name) != known_.end()) continue;
            const auto near = base::nearest_name(name, known_);
            return refuse(text_, "unknown option \"" + name + "\"" +
                                     (near ? "; did you mean " + std::string(*near) + "?" : ""));
        }
        return {};
    }
    std::string_view text() const noexcept { return text_; }

private:
    std::string_view text_;
    std::vector<Part> parts_;
    std::size_t places_ = 1;
    std::vector<std::string_view> known_;
};

Result<std::uint16_t> to_port(std::string_view text, const std::string& port, bool zero_allowed) {
    const auto number = base::parse_integer(port);
    if (!number || *number < (zero_allowed ? 0 : 1) || *number > 65'535)
        return refuse(text, "\"" + port + "\" is no port number");
    return static_cast<std::uint16_t>(*number);
}

constexpr std::array<std::string_view, 4> kKinds = {"tcp", "tls", "unix", "fd"};

std::unexpected<base::Failure> unknown_kind(const Parts& parts) {
    const auto near = base::nearest_name(parts.kind(), kKinds);
    return refuse(parts.text(),
                  "begins with none of tcp, tls, unix" +
                      (near ? "; did you mean " + std::string(*near) + "?" : std::string()));
}

}  // namespace

Result<ClientEndpoint> parse_client_endpoint(std::string_view text) {
    Parts parts(text, TRY(split_parts(text)));
    ClientEndpoint endpoint;
    if (parts.kind() == "unix") {
        endpoint.kind = EndpointKind::unix_socket;
        endpoint.host = TRY(parts.place(1, "path"));
    } else if (parts.kind() == "tcp" || parts.kind() == "tls") {
        endpoint.kind = parts.kind() == "tls" ? EndpointKind::tls : EndpointKind::tcp;
        endpoint.host = TRY(parts.place(1, "host"));
        const std::string port = TRY(parts.place(2, "port"));
        endpoint.port = TRY(to_port(text, port, false));
        if (const auto bind = parts.option("bind")) endpoint.source = Endpoint{*bind, 0};
        if (endpoint.kind == EndpointKind::tls)
            endpoint.tls_name = parts.option("name").value_or(endpoint.host);
    } else {
        return unknown_kind(parts);
    }
    endpoint.timeout =
        std::chrono::seconds(TRY(parts.number("timeout", 1, kTimeoutSecondsMax, 30)));
    if (const auto rest = parts.nothing_else(); !rest) return std::unexpected(rest.error());
    return endpoint;
}

Result<ServerEndpoint> parse_server_endpoint(std::string_view text) {
    Parts parts(text, TRY(split_parts(text)));
    ServerEndpoint endpoint;
    if (parts.kind() == "fd") {
        endpoint.kind = EndpointKind::descriptor;
        const std::string text_of_number = TRY(parts.place(1, "descriptor number"));
        const auto number = base::parse_integer(text_of_number);
        if (!number || *number < 0 || *number > 1'000'000)
            return refuse(text, "no descriptor number");
        endpoint.descriptor = static_cast<int>(*number);
    } else if (parts.kind() == "unix") {
        endpoint.kind = EndpointKind::unix_socket;
        endpoint.listen.endpoint.address = "unix:" + TRY(parts.place(1, "path"));
        if (const auto mode = parts.option("mode")) {
            unsigned value = 0;
            const auto parsed =
                std::from_chars(mode->data(), mode->data() + mode->size(), value, 8);
            if (parsed.ec != std::errc() || parsed.ptr != mode->data() + mode->size() ||
                mode->empty() || value > 0777)
                return refuse(text, "mode is octal, at most 777");
            endpoint.listen.unix_mode = value;
        }
    } else if (parts.kind() == "tcp" || parts.kind() == "tls") {
        endpoint.kind = parts.kind() == "tls" ? EndpointKind::tls : EndpointKind::tcp;
        const std::string port = TRY(parts.place(1, "port"));
        endpoint.listen.endpoint.port = TRY(to_port(text, port, true));
        endpoint.listen.endpoint.address = parts.option("interface").value_or("0.0.0.0");
        endpoint.listen.share_port = parts.flag("shared");
    } else {
        return unknown_kind(parts);
    }
    if (endpoint.kind != EndpointKind::descriptor)
        endpoint.listen.backlog =
            static_cast<int>(TRY(parts.number("backlog", 1, kBacklogMax, 1024)));
    if (const auto rest = parts.nothing_else(); !rest) return std::unexpected(rest.error());
    return endpoint;
}

namespace {

using StreamPtr = std::unique_ptr<ByteStream>;

Deferred<StreamPtr> connect_within(World& world, Resolver& resolver, ClientEndpoint endpoint,
                                   std::shared_ptr<const TlsClientContext> context) {
    if (endpoint.kind == EndpointKind::unix_socket) {
        Endpoint path{"unix:" + endpoint.host, 0};
        Deferred<StreamPtr> connecting = world.network.connect(std::move(path));
        co_return co_await std::move(connecting);
    }
    Deferred<Addresses> resolving = resolver.resolve_addresses(endpoint.host);
    const Result<Addresses> addresses = co_await std::move(resolving);
    if (!addresses) co_return addresses.error();
    std::vector<Endpoint> endpoints;
    for (const std::string& address : addresses->addresses)
        endpoints.push_back({address, endpoint.port});
    ConnectOptions options;
    options.timeout = endpoint.timeout;
    options.source = endpoint.source;
    Deferred<StreamPtr> connecting = connect_any(world, std::move(endpoints), std::move(options));
    Result<StreamPtr> stream = co_await std::move(connecting);
    if (!stream || endpoint.kind != EndpointKind::tls) co_return stream;
    std::unique_ptr<TlsStream> tls =
        TlsStream::client(*std::move(stream), std::move(context), endpoint.tls_name);
    const Result<void> shaken = co_await tls->handshake();
    if (!shaken) co_return shaken.error();
    StreamPtr secured = std::move(tls);
    co_return secured;
}

}  // namespace

Deferred<StreamPtr> connect_to(World& world, Resolver& resolver, ClientEndpoint endpoint,
                               std::shared_ptr<const TlsClientContext> context) {
    if (endpoint.kind == EndpointKind::tls && !context)
        return base::Failure(Errc::invalid_argument, "a tls endpoint needs a TLS context");
    const base::Duration timeout = endpoint.timeout;
    return with_timeout(world.reactor,
                        connect_within(world, resolver, std::move(endpoint), std::move(context)),
                        timeout);
}

Result<std::unique_ptr<Listener>> listen_on(World& world, const ServerEndpoint& endpoint,
                                            AcceptFunction accepted,
                                            std::shared_ptr<const TlsServerContext> context) {
    if (endpoint.kind == EndpointKind::descriptor)
        return adopt_listener(world, OwnedFd(endpoint.descriptor), std::move(accepted));
    if (endpoint.kind != EndpointKind::tls)
        return world.network.listen(endpoint.listen, std::move(accepted));
    if (!context) return fail(Errc::invalid_argument, "a tls endpoint needs a TLS context");
    return world.network.listen(
        endpoint.listen,
        [accepted = std::move(accepted), context = std::move(context)](StreamPtr stream) mutable {
            accepted(TlsStream::server(std::move(stream), context));
        });
}

}  // namespace reactor

#include "tests/bots/accounts/registration_stream.h"

#include "reactor/base/check.h"
#include "reactor/combine.h"
#include "reactor/connect_any.h"
#include "tests/bots/client/client_shared_impl.h"
#include "xmpp/client/failures.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/stream/stream_header.h"

#include <fmt/format.h>
#include <chrono>
#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::Failure;

constexpr base::Duration kTimeout = 30s;

Failure refused(Errc code, std::string_view words) {
    return {code, fmt::format("the server refuses to register accounts: {}; allow it there (a test "
                              "server should also allow many from one address), or make the "
                              "accounts otherwise: --accounts \"COMMAND with {{user}} {{domain}} "
                              "{{password}}\"",
                              words)};
}

Failure refused(const xmpp::StanzaError& error) {
    const bool for_a_while = error.is(xmpp::StanzaCondition::resource_constraint) ||
                             error.type() == xmpp::ErrorType::wait;
    return refused(for_a_while ? Errc::resource_exhausted : Errc::permission_denied,
                   xmpp::failure_of(error).detail());
}

}  // namespace

RegistrationStream::RegistrationStream(reactor::World& world, ClientShared& shared,
                                       const Plan& plan)
    : world_(world), shared_(shared), plan_(plan) {}

RegistrationStream::~RegistrationStream() = default;

reactor::Deferred<void> RegistrationStream::connect(BotNumber like) {
    state_ = State::closed;
    secure_ = false;
    connection_.reset();
    reactor::ConnectOptions options;
    if (!plan_.sources.empty())
        options.source = reactor::Endpoint{
            plan_.sources[like / plan_.connections_per_source % plan_.sources.size()], 0};
    auto connecting = reactor::connect_any(world_, plan_.addresses, options);
    auto stream = co_await std::move(connecting);
    if (!stream) co_return stream.error();
    auto opening = reactor::with_timeout(world_.reactor, opened(*std::move(stream)), kTimeout);
    const auto done = co_await std::move(opening);
    if (!done && done.error().is(Errc::timed_out))
        co_return Failure(Errc::timed_out, "the server does not open the stream");
    co_return done;
}

reactor::Deferred<void> RegistrationStream::opened(std::unique_ptr<reactor::ByteStream> stream) {
    ConnectionOwner& owner = *this;
    connection_ = std::make_unique<Connection>(shared_.impl(), owner, std::move(stream));
    if (plan_.security == ClientSecurity::direct_tls) {
        connection_->start_tls(plan_.names.domain());
        secure_ = true;
    }
    opening_.emplace();
    auto result = opening_->deferred();
    send_header();
    return result;
}

void RegistrationStream::send_header() {
    state_ = State::header;
    connection_->send(xmpp::stream_open_xml({.to = plan_.names.domain()}));
}

void RegistrationStream::on_stream_open(const xmpp::StreamOpen&) {
    if (state_ == State::header) state_ = State::features;
}

void RegistrationStream::on_element(xmpp::StanzaElement stanza) {
    const xmpp::Element& element = stanza.element;
    if (element.is("error", xmpp::ns::stream)) {
        const auto error = xmpp::StreamError::parse(element);
        Failure why = error ? xmpp::failure_of(*error)
                            : Failure(Errc::connection_aborted, "the server closed the stream");
        // Who does not take registrations may not take anything else before the login.
        if (state_ == State::asking && why.is(Errc::permission_denied))
            why = refused(Errc::permission_denied, why.detail());
        return fail(std::move(why));
    }
    if (state_ == State::features && element.is("features", xmpp::ns::stream))
        return on_features(element);
    if (state_ == State::proceed && element.is("proceed", xmpp::ns::tls)) {
        connection_->start_tls(plan_.names.domain());
        connection_->restart();
        secure_ = true;
        return send_header();
    }
    if (state_ == State::proceed) return fail({Errc::unsupported, "the server refuses STARTTLS"});
    if (state_ == State::asking && element.is("iq", xmpp::ns::client) &&
        element.attribute("id") == id_)
        on_answer(element);
}

void RegistrationStream::on_features(const xmpp::Element& features) {
    if (plan_.security == ClientSecurity::starttls && !secure_) {
        if (!features.child("starttls", xmpp::ns::tls))
            return fail({Errc::unsupported, "the server does not offer STARTTLS"});
        state_ = State::proceed;
        connection_->send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        return;
    }
    state_ = State::ready;
    if (opening_) std::exchange(opening_, std::nullopt)->resolve();
}

reactor::Deferred<RegistrationStream::Outcome> RegistrationStream::create(BotNumber bot) {
    CHECK(open());
    id_ = fmt::format("register-{}", bot);
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, id_);
    iq.set_to(plan_.names.bare(bot).domain_jid());
    xmpp::Element& query = iq.edit().add_child("query", xmpp::ns::registration);
    query.add_text_child("username", plan_.names.local(bot));
    query.add_text_child("password", plan_.password);
    state_ = State::asking;
    connection_->send(iq.to_xml());
    asking_.emplace();
    auto answer = reactor::with_timeout(world_.reactor, asking_->deferred(), kTimeout);
    auto result = co_await std::move(answer);
    if (!result && result.error().is(Errc::timed_out))
        co_return Failure(Errc::timed_out, "the server does not answer a registration");
    co_return result;
}

void RegistrationStream::on_answer(const xmpp::Element& answer) {
    auto asking = std::exchange(asking_, std::nullopt);
    state_ = State::ready;
    if (!asking) return;
    if (answer.attribute("type") == "result") return asking->resolve(Outcome::created);
    const xmpp::Element* child = answer.child("error", xmpp::ns::client);
    const auto error = child ? xmpp::StanzaError::parse(*child) : std::nullopt;
    if (error && error->is(xmpp::StanzaCondition::conflict))
        return asking->resolve(Outcome::existed);
    asking->fail(
        refused(error.value_or(xmpp::StanzaError(xmpp::StanzaCondition::undefined_condition))));
}

void RegistrationStream::on_stream_close() {
    fail({Errc::connection_done, "the server closed the stream"});
}

void RegistrationStream::on_lost(base::Failure why) {
    fail(std::move(why));
}

void RegistrationStream::fail(Failure why) {
    state_ = State::closed;
    if (auto opening = std::exchange(opening_, std::nullopt)) opening->fail(why);
    if (auto asking = std::exchange(asking_, std::nullopt)) asking->fail(why);
}

void RegistrationStream::close() {
    if (connection_ && state_ != State::closed) {
        connection_->send(xmpp::kStreamCloseXml);
        connection_->flush();
    }
    connection_.reset();
    state_ = State::closed;
}

}  // namespace bots

// The binding part of negotiation (RFC 6120 §7): resources made by the server or asked for by the
// client, conflicts by policy, and the limit on resources.
#include "server/routing/hooks.h"
#include "server/sessions/client_session.h"
#include "server/sessions/negotiation.h"
#include "xmpp/core/namespaces.h"

#include <utility>

namespace server {
namespace {

using xmpp::StanzaError;
using xmpp::StreamCondition;
using xmpp::StreamError;

constexpr std::size_t kResourceTokenBytes = 9;
/// Rounds of choosing a resource when others bind the same ones meanwhile.
constexpr unsigned kChoicesMax = 4;

// To the server or the account itself, or to nobody: the only requests that may come before a
// resource is bound (RFC 6120 §7.1).
bool is_for_us(const xmpp::Stanza& request, const xmpp::Jid& account) {
    return !request.to() || *request.to() == account ||
           (request.to()->is_domain() && request.to()->domain() == account.domain());
}

}  // namespace

void Negotiation::on_bind(xmpp::StanzaElement element) {
    xmpp::Element& root = element.element;
    const xmpp::Element* payload = root.first_child();
    if (root.name() != "iq" || payload == nullptr || !payload->is("bind", xmpp::ns::bind))
        return session_.fail(StreamError(StreamCondition::not_authorized, "bind a resource first"));
    root.remove_attribute("from");
    auto request = xmpp::Stanza::from_element(std::move(root), std::move(element.raw_inner));
    if (!request) {
        if (auto reply = xmpp::Stanza::error_reply(root, request.error())) session_.send(*reply);
        return;
    }
    if (!is_for_us(*request, session_.jid().bare()))
        return session_.fail(StreamError(StreamCondition::not_authorized, "bind a resource first"));
    if (const auto error = request->check_iq()) {
        if (request->may_answer_with_error()) refuse_bind(*request, *error);
        return;
    }
    if (!request->is_request()) return;
    if (request->iq_type() != xmpp::IqType::set)
        return refuse_bind(*request, StanzaError::bad_request("binding is a set"));
    std::string wanted = request->payload()->child_text("resource");
    session_.stream().hold(XmlStream::Hold::task);
    task_ = bind(*std::move(request), std::move(wanted));
}

reactor::Deferred<void> Negotiation::bind(xmpp::Stanza request, std::string wanted) {
    const xmpp::Jid account = session_.jid().bare();
    std::optional<StanzaError> refusal;
    for (unsigned attempt = 0; attempt < kChoicesMax; ++attempt) {
        auto chosen = choose_resource(wanted, attempt);
        if (!chosen) {
            refusal = chosen.error();
            break;
        }
        session_.set_resource(*chosen);
        const base::Result<Resource*> bound_resource =
            co_await context_.accounts.bind(*chosen, session_, session_.id());
        if (!session_.open()) co_return {};
        if (bound_resource) {
            bound(request);
            session_.stream().release(XmlStream::Hold::task);
            co_return {};
        }
        session_.set_resource(account);
        // The account went away since the login: there is nobody to be any more.
        if (bound_resource.error().is(base::Errc::not_found)) {
            session_.fail(StreamError(StreamCondition::not_authorized, "no such account"));
            co_return {};
        }
        refusal = StanzaError::internal_server_error();
        if (!bound_resource.error().is(base::Errc::already_exists)) {
            refusal =
                StanzaError(xmpp::ErrorType::wait, xmpp::StanzaCondition::resource_constraint);
            break;
        }
    }
    refuse_bind(request, *refusal);
    session_.stream().release(XmlStream::Hold::task);
    co_return {};
}

// The full JID to ask for. An account without resources may not even be loaded: then there is no
// conflict to look for.
base::Result<xmpp::Jid, StanzaError> Negotiation::choose_resource(const std::string& wanted,
                                                                  unsigned attempt) {
    const xmpp::Jid account_jid = session_.jid().bare();
    Account* account = context_.accounts.find(account_jid);
    base::Result<xmpp::Jid> full =
        account_jid.with_resource(wanted.empty() ? made_resource() : wanted);
    if (!full || !full->is_full())
        return std::unexpected(StanzaError::bad_request("the resource is not a valid one"));
    if (account == nullptr) return *std::move(full);
    const Resource* holder = account->find(full->resource());
    // A client that lost its connection and does not want its session back (XEP-0198) is no other.
    if (holder != nullptr && replace_detached(*holder)) return *std::move(full);
    if (holder != nullptr) {
        switch (context_.settings.resource_conflict) {
            case ResourceConflict::refuse_new:
                return std::unexpected(StanzaError::conflict());
            case ResourceConflict::rename:
                full = account_jid.with_resource(attempt == 0 ? wanted + "-" + made_resource()
                                                              : made_resource());
                if (!full) full = account_jid.with_resource(made_resource());
                break;
            case ResourceConflict::replace_old:
                if (ClientSession* old = context_.keeper.find_session(holder->session_id)) {
                    old->fail(StreamError(StreamCondition::conflict, "replaced by a new session"));
                    old->withdraw();
                }
                return *std::move(full);
        }
    }
    if (account->resources().size() >= context_.settings.resources_per_account_max &&
        !replace_any_detached(*account))
        return std::unexpected(StanzaError(xmpp::ErrorType::wait,
                                           xmpp::StanzaCondition::resource_constraint,
                                           "too many clients are logged in to this account"));
    return *std::move(full);
}

// False: it has a connection.
bool Negotiation::replace_detached(const Resource& holder) {
    ClientSession* old = context_.keeper.find_session(holder.session_id);
    if (old == nullptr || !old->detached()) return false;
    old->fail(StreamError(StreamCondition::conflict, "replaced by a new session"));
    old->withdraw();
    return true;
}

// Clients that never come back for their sessions must not keep new ones out. The oldest goes.
bool Negotiation::replace_any_detached(const Account& account) {
    for (const auto& resource : account.resources())
        if (replace_detached(*resource)) return true;
    return false;
}

std::string Negotiation::made_resource() const {
    return context_.world.entropy.token(kResourceTokenBytes);
}

void Negotiation::bound(const xmpp::Stanza& request) {
    xmpp::Element payload("bind", xmpp::ns::bind);
    payload.add_text_child("jid", session_.jid().text());
    session_.send(request.reply_result(std::move(payload)).element());
    session_.enter_bound();
    Account* account = context_.accounts.find(session_.jid());
    Resource* resource = account == nullptr ? nullptr : account->find(session_.jid().resource());
    if (resource != nullptr) {
        ResourceEvent event{*account, *resource};
        (void)context_.router.hooks().resource_bound.run(event);
    }
    session_.send_early();
    if (!knows_lost_) release_lost();
}

// After a crash: a client that does not ask for its old stream gets what that one was sent as
// offline messages.
void Negotiation::release_lost() {
    for (LostStream& lost : context_.resumable.release_lost_of(session_.jid()))
        context_.tasks.add("sm lost", forget_lost(context_, std::move(lost)));
}

void Negotiation::refuse_bind(const xmpp::Stanza& request, const StanzaError& error) {
    session_.send(request.reply_error(error).element());
    if (++bind_attempts_ >= kBindAttemptsMax)
        session_.fail(StreamError(StreamCondition::policy_violation, "too many attempts to bind"));
}

}  // namespace server

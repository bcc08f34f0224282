// XEP-0077 In-Band Registration: password change and account removal by the owner, always; making
// accounts from a client, before login and over TLS, only where the operator has opened it.
#include "reactor/reactor.h"
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "server/routing/address_key.h"
#include "server/routing/roster_edits.h"
#include "server/routing/user_service.h"
#include "server/sessions/before_login.h"
#include "xmpp/core/namespaces.h"

#include <string>

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr std::string_view kNamespace = xmpp::ns::registration;
constexpr QualifiedName kQuery{kNamespace, "query"};

std::size_t characters_in(std::string_view utf8) {
    std::size_t count = 0;
    for (const char unit : utf8)
        if ((static_cast<unsigned char>(unit) & 0xC0U) != 0x80U) ++count;
    return count;
}

StanzaError refusal_of_account(const base::Failure& failure) {
    if (failure.is(base::Errc::already_exists)) return StanzaError::conflict("that name is taken");
    if (failure.is(base::Errc::invalid_argument))
        return StanzaError::not_acceptable(std::string(failure.detail()));
    return refusal_of(failure);
}

class Registration final : public Module, public BeforeLogin {
public:
    explicit Registration(ModuleContext& context) : context_(context) {
        reload(context.config);
        for (const IqTarget target : {IqTarget::server, IqTarget::self}) {
            subscriptions_ += context.iq.on_get(
                target, kQuery, [this](const IqRequest& request) { return describe(request); });
            subscriptions_ += context.iq.on_set(
                target, kQuery, [this](IqRequest request) { return change(std::move(request)); });
        }
    }

    void reload(const Config& config) override {
        open_ = config.get(keys::kRegistrationEnabled);
        password_length_min_ = static_cast<std::size_t>(config.get(keys::kPasswordLengthMin));
    }

    BeforeLogin* before_login() override { return this; }
    bool is_open(std::string_view host) const override {
        return open_ && context_.hosts.contains(host);
    }

    reactor::Deferred<IqReply> answer(IqRequest request, std::string_view peer_address) override {
        if (request.stanza().iq_type() == xmpp::IqType::get) return IqReply(blank_form());
        return create(std::move(request), std::string(peer_address));
    }

private:
    static xmpp::Element blank_form() {
        xmpp::Element query("query", kNamespace);
        query.add_text_child("instructions", "Choose a user name and a password for this server.");
        query.add_child("username");
        query.add_child("password");
        return query;
    }

    reactor::Deferred<IqReply> create(IqRequest request, std::string peer_address) {
        const xmpp::Element& query = request.payload();
        if (query.child("remove") != nullptr)
            co_return IqReply(StanzaError::unexpected_request("log in first"));
        const std::string name = query.child_text("username");
        std::string password = query.child_text("password");
        if (name.empty() || password.empty())
            co_return IqReply(StanzaError::not_acceptable("a user name and a password are needed"));
        if (characters_in(password) < password_length_min_) co_return IqReply(too_short());
        auto account = xmpp::Jid::make(name, request.addressee().domain());
        if (!account)
            co_return IqReply(StanzaError::not_acceptable(std::string(account.error().detail())));
        auto asking = may_create(peer_address);
        const base::Result<bool> allowed = co_await std::move(asking);
        if (!allowed || !*allowed)
            co_return IqReply(StanzaError::resource_constraint(
                "too many accounts were made from this address; try again in an hour"));
        const xmpp::Jid made = *account;
        auto created = co_await context_.users.create(std::move(*account), std::move(password));
        if (!created) co_return IqReply(refusal_of_account(created.error()));
        context_.world.log.info("registration.created",
                                {{"account", made.text()}, {"peer", peer_address}});
        co_return IqReply();
    }

    // As with connections, this machine's own address is not limited.
    reactor::Deferred<bool> may_create(std::string_view peer_address) {
        const std::optional<AddressKey> address = AddressKey::of(peer_address);
        return address ? context_.users.may_create(*address) : reactor::ready(true);
    }

    // Registration is with the home server only: what the domain is asked must come from one of its
    // own accounts.
    std::optional<StanzaError> check_owner(const IqRequest& request) const {
        const xmpp::Jid& who = request.requester();
        if (request.own()) return std::nullopt;
        if (!who.has_local() || who.domain() != request.addressee().domain())
            return StanzaError::registration_required("there is no account of yours here");
        return std::nullopt;
    }

    IqReply describe(const IqRequest& request) const {
        if (auto refused = check_owner(request)) return *refused;
        xmpp::Element query("query", kNamespace);
        query.add_child("registered");
        query.add_text_child(
            "instructions",
            "Send a new password to change it, or <remove/> to delete the account.");
        query.add_text_child("username", request.requester().local());
        query.add_child("password");
        return query;
    }

    reactor::Deferred<IqReply> change(IqRequest request) {
        if (auto refused = check_owner(request)) return IqReply(*refused);
        if (request.payload().child("remove") != nullptr) return remove(std::move(request));
        return set_password(std::move(request));
    }

    reactor::Deferred<IqReply> remove(IqRequest request) {
        // §3.2: <remove/> must be the only child.
        if (request.payload().child_count() != 1)
            co_return IqReply(StanzaError::bad_request("<remove/> must stand alone"));
        const xmpp::Jid account = request.requester().bare();
        auto removed = co_await context_.users.remove(account, request.stanza().reply_result());
        if (!removed) co_return IqReply(refusal_of_account(removed.error()));
        context_.world.log.info("registration.removed", {{"account", account.text()}});
        co_return IqReply();
    }

    reactor::Deferred<IqReply> set_password(IqRequest request) {
        const xmpp::Element& query = request.payload();
        const std::string name = query.child_text("username");
        std::string password = query.child_text("password");
        // §3.3: an empty password keeps the old one; it is not complete information.
        if (name.empty() || password.empty())
            co_return IqReply(StanzaError::bad_request("a user name and a password are needed"));
        const xmpp::Jid account = request.requester().bare();
        auto named = xmpp::Jid::make(name, account.domain());
        if (!named || *named != account)
            co_return IqReply(StanzaError::not_allowed("only your own password can be changed"));
        if (characters_in(password) < password_length_min_) co_return IqReply(too_short());
        auto changed = co_await context_.users.set_password(account, std::move(password));
        if (!changed) co_return IqReply(refusal_of_account(changed.error()));
        context_.world.log.info("registration.password_changed", {{"account", account.text()}});
        co_return IqReply();
    }

    StanzaError too_short() const {
        return StanzaError::not_acceptable("the password needs at least " +
                                           std::to_string(password_length_min_) + " characters");
    }

    ModuleContext context_;
    bool open_ = false;
    std::size_t password_length_min_ = 0;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_registration() {
    return {.name = "registration",
            .xeps = {{77, "2.4", "In-Band Registration"}},
            .features = {kNamespace},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<Registration>};
}

}  // namespace server::modules

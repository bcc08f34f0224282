// Negotiation: what happens on a client's stream before it is bound (RFC 6120 §4.3, §5, §6, §7):
// stream headers, STARTTLS, SASL, resource binding, and every refusal on the way. Freed when the
// resource is bound.
#pragma once

#include "reactor/deferred.h"
#include "server/sessions/login.h"
#include "xmpp/core/error.h"
#include "xmpp/core/stanza.h"
#include "xmpp/stream/sm_elements.h"
#include "xmpp/stream/stream_header.h"
#include "xmpp/xml/parser.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

class Account;
struct ClientContext;
struct LostStream;
class ClientSession;
struct Resource;

class Negotiation {
public:
    /// `session` owns this.
    explicit Negotiation(ClientSession& session);
    Negotiation(const Negotiation&) = delete;
    Negotiation& operator=(const Negotiation&) = delete;
    /// Ends what is under way.
    ~Negotiation();

    void on_stream_open(const xmpp::StreamOpen& open);
    void on_element(xmpp::StanzaElement element);
    void on_tls_started();
    /// Whose turn it was took too long.
    void on_deadline();

    /// What a stream that cannot be resumed has not delivered waits for any client from now on, if
    /// that is not so already. False: not yet; it will be tried again.
    static reactor::Deferred<bool> release_lost(ClientContext& context, LostStream& lost);
    /// The same; and its count is forgotten when the time has come.
    static reactor::Deferred<void> forget_lost(ClientContext& context, LostStream lost);

    /// The client has proved who it is (perhaps on another shard): says so and expects a new
    /// stream.
    void welcome(const std::optional<std::string>& final_data);
    /// Sends our header, for an error that comes before the client's header was answered.
    void send_default_header();

private:
    /// What the client may do next.
    enum class Phase : std::uint8_t { header, starttls, login, bind };

    // Streams and TLS (negotiation.cpp).
    std::optional<xmpp::StreamError> judge_header(const xmpp::StreamOpen& open);
    void send_header(std::string_view host);
    void offer_features();
    const std::string& bind_features();
    void start_tls();
    void refuse_tls();
    void on_stanza(xmpp::StanzaElement element);
    reactor::Deferred<void> answer_before_login(xmpp::Stanza request);

    // SASL (sasl_negotiation.cpp).
    void describe_connection();
    void bind_channel();
    std::vector<std::string_view> offered_mechanisms() const;
    void on_sasl(const xmpp::Element& element);
    void on_auth(const xmpp::Element& element);
    void on_response(const xmpp::Element& element);
    reactor::Deferred<void> begin_login(std::string mechanism, std::optional<std::string> initial);
    reactor::Deferred<void> continue_login(std::string response);
    reactor::Deferred<void> conclude(base::Result<LoginOutcome> result);
    void refuse_login(xmpp::sasl::SaslCondition condition, std::string_view why);
    void record_login();
    reactor::Deferred<void> move_home(std::optional<std::string> final_data);

    // Binding (bind_negotiation.cpp).
    void on_bind(xmpp::StanzaElement element);
    reactor::Deferred<void> bind(xmpp::Stanza request, std::string wanted);
    base::Result<xmpp::Jid, xmpp::StanzaError> choose_resource(const std::string& wanted,
                                                               unsigned attempt);
    bool replace_detached(const Resource& holder);
    bool replace_any_detached(const Account& account);
    std::string made_resource() const;
    void bound(const xmpp::Stanza& request);
    void release_lost();
    // Resuming (resume_negotiation.cpp).
    void on_management(const xmpp::Element& element);
    reactor::Deferred<void> resume(xmpp::SmResume wanted);
    void take_over(ClientSession& old, std::uint32_t handled);
    reactor::Deferred<void> refuse_resume(xmpp::SmResume wanted);
    reactor::Deferred<bool> take_back_given(const LostStream& lost, std::uint32_t handled);
    bool is_ending(const std::string& token) const;

    void refuse_bind(const xmpp::Stanza& request, const xmpp::StanzaError& error);

    ClientSession& session_;
    ClientContext& context_;
    base::MonotonicTime started_at_;
    Phase phase_ = Phase::header;
    std::string host_;
    std::string client_;  // The bare JID that the client's header named, for ours (§4.7.2).
    xmpp::sasl::ServerContext connection_;  // What SASL may know, without nonce and secret.
    std::unique_ptr<Login> login_;
    unsigned login_attempts_ = 0;
    unsigned bind_attempts_ = 0;
    unsigned management_attempts_ = 0;
    bool knows_lost_ = false;                          // Tried to resume what a crash ended.
    reactor::Deferred<void> task_ = reactor::ready();  // Last: ends before what it uses.
};

}  // namespace server

// What is behind Client: an online session is this object, a Connection and, with XEP-0198, the
// stanzas that the server has not acknowledged; everything that only connecting needs is gone by
// then. Internal to tests/bots/client.
#pragma once

#include "reactor/ready_queue.h"
#include "reactor/timers.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared_impl.h"
#include "tests/bots/client/connection.h"
#include "tests/bots/client/lifetime.h"
#include "tests/bots/client/places.h"
#include "xmpp/client/iq_tracker.h"
#include "xmpp/client/negotiation.h"
#include "xmpp/stream/sm_queue.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bots {

/// Stanzas sent between two requests for acknowledgement; a quiet connection asks for the rest.
inline constexpr std::uint32_t kAskEvery = 10;
/// Stanzas sent and not acknowledged; beyond it `send` refuses.
inline constexpr std::size_t kUnacknowledgedMax = 100'000;
/// Stanzas that come between binding and the end of negotiation.
inline constexpr std::size_t kEarlyStanzasMax = 1000;
/// Successive see-other-host errors that one attempt follows (RFC 6120 §4.9.3.19).
inline constexpr unsigned kRedirectsMax = 3;

/// A stanza that was sent and is not acknowledged.
struct Unacknowledged {
    base::SharedBytes bytes;
    base::WallTime sent_at;
    bool is_message = false;
    bool again = false;  ///< Taken over from a session that could not be resumed.
};

/// The XEP-0198 side of a session, kept over a loss.
struct SmSession {
    std::string id;  ///< Empty: cannot be resumed.
    std::string location;
    xmpp::SmInbound inbound;
    xmpp::SmQueue<Unacknowledged> outbound;
    std::uint32_t unasked = 0;  ///< Sent since the last request for acknowledgement.

    bool resumable() const noexcept { return !id.empty(); }
};

class Client::Impl final : private ConnectionOwner {
public:
    Impl(Client& client, ClientShared::Impl& shared, ClientOptions options,
         ClientObserver& observer);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    // As in Client.
    reactor::Deferred<void> connect();
    reactor::Deferred<void> stay_online(reactor::Backoff backoff);
    reactor::Deferred<void> disconnect(base::Duration grace);
    void cut();
    bool online() const noexcept { return state_ == State::online; }
    const xmpp::Jid& jid() const noexcept { return jid_; }
    const std::string& mechanism() const noexcept { return mechanism_; }
    reactor::TlsStream* tls() const noexcept {
        return connection_ == nullptr ? nullptr : connection_->tls();
    }
    bool stream_management() const noexcept { return online() && sm_ != nullptr; }
    bool has_feature(std::string_view name, std::string_view ns) const {
        return features_ != nullptr && features_->has(name, ns);
    }
    bool send(const xmpp::Stanza& stanza);
    bool send_xml(std::string_view stanza);
    bool send_element(std::string_view element);
    reactor::Deferred<xmpp::Stanza> request(xmpp::Stanza iq, base::Duration timeout);
    std::size_t unsent_bytes() const noexcept {
        return connection_ == nullptr ? 0 : connection_->queued_bytes();
    }
    void pause_reading(bool paused);
    reactor::World& world() noexcept { return shared_.world; }

private:
    enum class State : std::uint8_t { offline, connecting, online, closing };

    /// What a connection attempt needs, from `connect` until it settles.
    struct Attempt {
        explicit Attempt(base::UniqueFunction<void()> expired) : deadline(std::move(expired)) {}

        reactor::Promise<void> promise;
        std::optional<xmpp::ClientNegotiation> negotiation;
        std::vector<xmpp::Stanza> early;
        bool has_bindings = false;
        unsigned redirects = 0;
        Place place;  ///< Of the connection.
        reactor::CallbackTimer deadline;
        std::optional<reactor::Deferred<void>> work;
    };
    struct Request {
        explicit Request(base::UniqueFunction<void()> expired) : timer(std::move(expired)) {}
        reactor::Promise<xmpp::Stanza> promise;
        reactor::CallbackTimer timer;
    };
    struct Closing {
        explicit Closing(base::UniqueFunction<void()> expired) : timer(std::move(expired)) {}
        reactor::Promise<void> promise;
        reactor::CallbackTimer timer;
    };
    struct Staying {
        reactor::Promise<void> promise;
        std::optional<reactor::Promise<base::Failure>> lost;  ///< While online.
        std::optional<reactor::Deferred<void>> work;
    };
    /// Tells the observer of a loss, from the loop.
    class Notice final : public reactor::ReadyItem {
    public:
        explicit Notice(Impl& owner) noexcept : owner_(owner) {}

    private:
        void run() override { owner_.tell_loss(); }
        Impl& owner_;
    };

    void on_stream_open(const xmpp::StreamOpen& open) override;
    void on_element(xmpp::StanzaElement element) override;
    void on_stream_close() override;
    void on_lost(base::Failure why) override;
    bool on_quiet() override;

    // Connecting: client_connect.cpp, client_login.cpp.
    reactor::Deferred<void> open(std::vector<Place> places, std::string domain);
    reactor::Deferred<std::vector<Place>> find_places(std::string domain);
    reactor::Deferred<std::unique_ptr<reactor::ByteStream>> dial(Place place);
    void begin(std::unique_ptr<reactor::ByteStream> stream, Place place);
    xmpp::ClientNegotiationOptions negotiation_options();
    void follow(xmpp::NegotiationStep step);
    void start_tls();
    void keep_tls_session();
    reactor::Deferred<void> salt(xmpp::sasl::NeedSaltedPassword wanted);
    void refuse(xmpp::NegotiationRefused refused);
    void abandon();
    void fail_attempt(base::Failure why);
    reactor::Deferred<void> stay(reactor::Backoff backoff);
    void stop_staying(base::Result<void> result);

    // The session: client_session.cpp.
    void enter(xmpp::Negotiated result);
    std::vector<Unacknowledged> replace_session(const xmpp::Negotiated& result,
                                                std::uint32_t& acknowledged);
    void take_stanza(xmpp::StanzaElement element);
    void handle(xmpp::Stanza stanza);
    void handle_iq(xmpp::Stanza iq);
    void on_management(const xmpp::Element& element);
    bool may_send() const noexcept;
    bool write(std::string_view stanza, bool is_message);
    void send_again(std::vector<Unacknowledged> left, bool is_known_untaken);
    void ask_for_acknowledgement();
    void break_off(base::Failure why, std::string_view farewell);
    void lose(base::Failure why);
    void tell_loss();
    void fail_requests(const base::Failure& why);

    Client& client_;
    ClientShared::Impl& shared_;
    ClientOptions options_;
    ClientObserver& observer_;
    xmpp::Jid jid_;
    std::string mechanism_;
    std::shared_ptr<const FeatureNames> features_;
    std::unique_ptr<SmSession> sm_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<reactor::TlsSession> tls_session_;  // Of the connection before.
    xmpp::IqTracker<std::unique_ptr<Request>> requests_;
    std::unique_ptr<Attempt> attempt_;
    std::unique_ptr<Closing> closing_;
    std::unique_ptr<Staying> staying_;
    std::optional<base::Failure> loss_;  // To be told.
    Lifetime lifetime_;
    Notice notice_{*this};
    State state_ = State::offline;
    bool paused_ = false;
};

}  // namespace bots

// ScriptedClient: an XMPP client for tests that does what the test says, step by step, right or
// wrong, on a Stage: virtual or real time and network. Each call lets time pass until it has what
// it waits for; what does not come within the limit throws, which GoogleTest reports as a failure.
#pragma once

#include "reactor/network.h"
#include "reactor/outbound_buffer.h"
#include "reactor/tls.h"
#include "tests/support/stage.h"
#include "xmpp/sasl/channel_binding.h"
#include "xmpp/xml/parser.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace server::test {

/// A script that did not go as written.
class ScriptFailure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct StreamClosed {};    ///< `</stream:stream>`
struct ConnectionEnded {   ///< The connection is over.
    bool orderly = false;  ///< End of stream, not a break.
};

class ScriptedClient final : private reactor::StreamObserver {
public:
    /// `address`: where its connections come from. `stage` must outlive the client.
    explicit ScriptedClient(Stage& stage, std::string address = "10.0.1.1");
    ScriptedClient(reactor::SimWorld& sim, reactor::World& world, reactor::SimInternet& internet,
                   std::string address = "10.0.1.1");
    ScriptedClient(const ScriptedClient&) = delete;
    ScriptedClient& operator=(const ScriptedClient&) = delete;
    ~ScriptedClient();

    // --- the connection

    void connect(const reactor::Endpoint& to);
    /// TLS over what is connected, then a new stream. `server_name`: SNI.
    void start_tls(std::string server_name = "example.org", std::vector<std::string> alpn = {});
    reactor::TlsStream* tls() { return tls_; }
    bool connected() const { return stream_ != nullptr; }
    /// Before start_tls: what the client shows when it is asked for a certificate.
    void set_identity(reactor::TlsIdentity identity) { identity_ = std::move(identity); }
    /// TLS 1.2 at most.
    void limit_to_tls_1_2() { tls_max_ = reactor::TlsVersion::tls_1_2; }
    void send(std::string_view text);
    /// Sends and lets it arrive, byte by byte with `pause` between.
    void trickle(std::string_view text, base::Duration pause);
    void shutdown_write();
    void reset();
    /// What comes stays in the network.
    void stop_reading() { reading_ = false; }
    void read_on();

    // --- what comes

    using Event = std::variant<xmpp::StreamOpen, xmpp::Element, StreamClosed, ConnectionEnded>;
    static std::string describe(const Event& event);
    /// The first event that came; throws when none comes within the limit.
    Event next();
    /// Puts an event back in front of those that wait.
    void put_back(Event event) { events_.push_front(std::move(event)); }
    bool has_event() const { return !events_.empty(); }
    xmpp::StreamOpen expect_open();
    xmpp::Element expect_element();
    void expect_close();
    ConnectionEnded expect_end();
    /// Nothing comes within `time`; throws otherwise.
    void expect_nothing(base::Duration time = std::chrono::seconds(1));
    /// A stream error, the closing tag and the end of the connection; yields the condition's name.
    std::string expect_stream_error();
    bool ended() const { return ended_; }
    std::size_t bytes_received() const { return bytes_received_; }

    // --- the usual

    /// A stream header and what answers it; yields <features/>.
    xmpp::Element open(std::string_view host = "example.org");
    /// From connected to the features over TLS, by STARTTLS.
    xmpp::Element secure(std::string_view host = "example.org");
    /// One SASL exchange; yields <success/> or <failure/>. Channel binding for -PLUS: `binding`.
    xmpp::Element log_in(std::string username, std::string password,
                         std::string_view mechanism = "SCRAM-SHA-256",
                         std::string binding = "tls-exporter");
    /// Binds; yields the iq that answers.
    xmpp::Element bind(std::string_view resource = {});
    /// What is left after `secure` or a direct TLS `open`: SASL, a new stream, binding. Throws
    /// unless each step succeeds.
    void log_in_and_bind(std::string_view username, std::string_view password,
                         std::string_view resource = {}, std::string_view host = "example.org",
                         std::string_view mechanism = "SCRAM-SHA-256");
    /// All of the above on a connected stream; throws unless each step succeeds.
    void become(std::string_view username, std::string_view password,
                std::string_view resource = {});
    /// The full JID that `become` got.
    const std::string& jid() const { return jid_; }

    void set_jid(std::string jid) { jid_ = std::move(jid); }

    /// What `log_in` does that an honest client does not.
    struct Tricks {
        std::string authzid = {};         ///< Asks to act as somebody else.
        bool claims_no_plus = false;      ///< The `y` flag (RFC 5802 §6), though -PLUS was offered.
        bool other_binding_data = false;  ///< As if bound to another connection.
        bool other_nonce = false;         ///< In the final message.
    };
    Tricks tricks;

    /// How long the calls above wait.
    base::Duration limit = std::chrono::seconds(10);

private:
    void on_ready(reactor::Interest interest) override;
    void read();
    void flush();
    void take_events();
    std::vector<xmpp::sasl::ChannelBinding> bindings();

    std::unique_ptr<Stage> own_stage_;
    Stage& stage_;
    std::unique_ptr<reactor::Network> network_;
    std::unique_ptr<reactor::ByteStream> stream_;
    reactor::TlsStream* tls_ = nullptr;
    std::optional<reactor::TlsIdentity> identity_;
    reactor::TlsVersion tls_max_ = reactor::TlsVersion::tls_1_3;
    xmpp::StreamParser parser_;
    reactor::OutboundQueue outbound_;
    std::deque<Event> events_;
    std::string broken_;  // What was wrong with the server's XML.
    std::string jid_;
    std::size_t bytes_received_ = 0;
    bool reading_ = true;
    bool ended_ = false;
};

}  // namespace server::test

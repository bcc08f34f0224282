// A negotiation and what its server says, as text: shared by the tests of ClientNegotiation.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reactor/base/text.h"
#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/client/negotiation.h"
#include "xmpp/sasl/mechanism.h"
#include "xmpp/sasl/scram_keys.h"

namespace xmpp {

inline constexpr std::string_view kMechanismsStart =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>";

/// `<stream:features>` with these mechanisms and other features.
inline std::string login_features(const std::vector<std::string>& mechanisms,
                                  const std::string& others = {}) {
    std::string xml = "<stream:features>" + std::string(kMechanismsStart);
    for (const std::string& name : mechanisms)
        xml += "<mechanism>" + name + "</mechanism>";
    return xml + "</mechanisms>" + others + "</stream:features>";
}

inline constexpr std::string_view kBindFeature = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
inline constexpr std::string_view kSmFeature = "<sm xmlns='urn:xmpp:sm:3'/>";
inline constexpr std::string_view kStartTlsFeature =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

inline std::string features(std::string_view content) {
    return "<stream:features>" + std::string(content) + "</stream:features>";
}

inline ClientNegotiationOptions options_of(std::string_view jid) {
    ClientNegotiationOptions options;
    options.jid = *Jid::parse(jid);
    options.password = "pencil";
    options.nonce = std::string(sasl::kNonceBytes, 'C');
    options.resource = "made-up";
    options.stream_management = true;
    return options;
}

class Talk {
public:
    explicit Talk(ClientNegotiationOptions options) : negotiation_(std::move(options)) {
        last = text_of(negotiation_.start());
    }

    /// The server's header.
    std::string open(std::string_view version = "1.0", std::string_view id = "id1") {
        StreamOpen header;
        header.name = "stream";
        header.ns = "http://etherx.jabber.org/streams";
        header.prefix = "stream";
        header.content_ns = "jabber:client";
        header.from = "example.org";
        header.id = id;
        header.version = version;
        header.has_version = !version.empty();
        return last = text_of(negotiation_.on_stream_open(header));
    }
    std::string open(const StreamOpen& header) {
        return last = text_of(negotiation_.on_stream_open(header));
    }
    std::string say(std::string_view xml) {
        return last = text_of(negotiation_.on_element(element_after_header(xml).element));
    }
    std::string tls_started(std::vector<sasl::ChannelBinding> bindings = {}) {
        last = text_of(negotiation_.on_tls_started());
        negotiation_.set_channel_bindings(std::move(bindings));
        return last;
    }
    /// What the client asked for, answered.
    std::string salt() {
        auto salted =
            sasl::salt_password(wanted.hash, "pencil", wanted.salt, wanted.iterations).value();
        return last = text_of(negotiation_.provide_salted_password(std::move(salted)));
    }
    /// Through SASL by ANONYMOUS to the second header; `jid` must be a domain.
    void log_in_anonymously() {
        open();
        EXPECT_EQ(say(login_features({"ANONYMOUS"})),
                  "send <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                  "mechanism='ANONYMOUS'>=</auth>");
        EXPECT_TRUE(say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
                        .starts_with("restart <?xml"));
        EXPECT_EQ(open(), "wait");
    }

    ClientNegotiation& negotiation() { return negotiation_; }

    std::string last;
    sasl::NeedSaltedPassword wanted;
    Negotiated result;
    std::string farewell;
    std::string other_host;

private:
    /// "wait", "send …", "restart …", "start tls", "pass on", "salt", "ready JID", "refused …".
    std::string text_of(NegotiationStep step) {
        if (auto* send = std::get_if<NegotiationSend>(&step)) return "send " + send->bytes;
        if (auto* restart = std::get_if<NegotiationRestart>(&step))
            return "restart " + restart->bytes;
        if (std::holds_alternative<NegotiationStartTls>(step)) return "start tls";
        if (std::holds_alternative<NegotiationPassOn>(step)) return "pass on";
        if (auto* salted = std::get_if<sasl::NeedSaltedPassword>(&step)) {
            wanted = std::move(*salted);
            return "salt";
        }
        if (auto* ready = std::get_if<NegotiationReady>(&step)) {
            result = std::move(ready->result);
            return "ready " + result.jid.text();
        }
        if (auto* refused = std::get_if<NegotiationRefused>(&step)) {
            farewell = refused->farewell;
            other_host = refused->other_host;
            return "refused " + refused->why.message();
        }
        return "wait";
    }

    ClientNegotiation negotiation_;
};

}  // namespace xmpp

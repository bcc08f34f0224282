// A client that logs in to a server which says anything: no word of it crashes the negotiation,
// makes it send the password through a stream without TLS, or ends in a session that cannot be.
// Stream-management elements on the way survive being written and read again.
//
// The first byte of the input chooses what the client wants.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "reactor/base/bytes.h"
#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/client/negotiation.h"
#include "xmpp/sasl/mechanism.h"
#include "xmpp/xml/read_stanza.h"

namespace {

using namespace xmpp;

constexpr std::string_view kPassword = "pencil and paper";

ClientNegotiationOptions options_from(std::uint8_t choice) {
    ClientNegotiationOptions options;
    options.jid = *Jid::parse((choice & 1) != 0 ? "example.org" : "user@example.org/home");
    options.password = kPassword;
    options.use_starttls = (choice & 2) != 0;
    options.is_tls = (choice & 4) != 0;
    options.stream_management = (choice & 8) != 0;
    options.certificate = (choice & 16) != 0;
    if ((choice & 32) != 0)
        options.resumption = {
            .jid = *Jid::parse("user@example.org/home"), .id = "former", .handled = 7};
    options.nonce = std::string(sasl::kNonceBytes, 'C');
    options.resource = "made-up";
    return options;
}

class Conversation {
public:
    explicit Conversation(std::uint8_t choice)
        : is_tls_((choice & 4) != 0), negotiation_(options_from(choice)) {
        take(negotiation_.start({{std::string(sasl::kTlsExporter), std::string(32, 'e')}}));
    }

    void hear(std::string_view bytes) {
        parser_.feed(bytes);
        for (;;) {
            ParserEvent event = parser_.next();
            if (auto* const element = std::get_if<StanzaElement>(&event)) {
                check_management(element->element);
                take(negotiation_.on_element(element->element));
            } else if (const auto* const open = std::get_if<StreamOpen>(&event)) {
                take(negotiation_.on_stream_open(*open));
            } else {
                return;
            }
        }
    }

private:
    static void check_management(const Element& element) {
        if (element.ns() != ns::stream_management) return;
        const auto parsed = parse_sm(element);
        if (!parsed || std::holds_alternative<SmRequest>(*parsed)) return;
        const std::string xml = std::visit(
            [](const auto& what) {
                if constexpr (std::is_same_v<std::decay_t<decltype(what)>, SmRequest>) {
                    return std::string(kSmRequestXml);
                } else {
                    return to_xml(what);
                }
            },
            *parsed);
        const auto read = read_element(xml);
        CHECK(read);
        const auto again = parse_sm(*read);
        CHECK(again && *again == *parsed);
    }

    void send(const std::string& bytes) {
        CHECK(!over_);
        if (is_tls_) return;
        CHECK(!bytes.contains(kPassword));
        for (std::size_t shift = 0; shift < 3; ++shift) {
            // The middle of its base64 at each alignment.
            const std::string coded =
                base::base64_encode(std::string(shift, 'x') + std::string(kPassword));
            CHECK(!bytes.contains(coded.substr(4, coded.size() - 8)));
        }
    }

    void take(NegotiationStep step) {
        if (auto* const sent = std::get_if<NegotiationSend>(&step)) {
            send(sent->bytes);
        } else if (auto* const restart = std::get_if<NegotiationRestart>(&step)) {
            parser_.reset();
            send(restart->bytes);
        } else if (std::holds_alternative<NegotiationStartTls>(step)) {
            parser_.reset();
            is_tls_ = true;
            take(negotiation_.on_tls_started());
        } else if (std::holds_alternative<sasl::NeedSaltedPassword>(step)) {
            take(negotiation_.provide_salted_password(std::string(32, 's')));
        } else if (auto* const ready = std::get_if<NegotiationReady>(&step)) {
            CHECK(!over_ && ready->result.jid.is_full());
            CHECK(!ready->result.resumed || ready->result.former_handled);
            over_ = true;
        } else if (std::holds_alternative<NegotiationRefused>(step)) {
            over_ = true;
        }
    }

    bool is_tls_;
    bool over_ = false;
    ClientNegotiation negotiation_;
    StreamParser parser_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Conversation conversation(data[0]);
    conversation.hear({reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}

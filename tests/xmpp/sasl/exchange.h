// What the SASL tests share: contexts with every field set, keys of the account "user" with the
// password "pencil", and accessors that fail the test on the wrong step.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "reactor/base/text.h"
#include "xmpp/sasl/client.h"
#include "xmpp/sasl/mechanism.h"
#include "xmpp/sasl/mechanisms.h"

namespace xmpp::sasl::testing {

inline std::string unbase64(std::string_view text) {
    return base::base64_decode(text).value();
}

inline std::string exporter_bytes() {
    std::string bytes;
    for (char c = 0; c < 32; ++c)
        bytes += c;
    return bytes;
}

inline ServerContext server_context() {
    return {.host = "example.com",
            .is_tls = true,
            .plus_advertised = true,
            .channel_bindings = {{std::string(kTlsExporter), exporter_bytes()},
                                 {std::string(kTlsServerEndPoint), std::string(32, 'e')},
                                 {std::string(kTlsUnique), std::string(12, 'u')}},
            .external_identities = {},
            .nonce = std::string(kNonceBytes, 'N'),
            .fake_salt_secret = std::string(32, 'S')};
}

inline ClientContext client_context() {
    return {.username = "user",
            .password = "pencil",
            .authzid = {},
            .channel_bindings = server_context().channel_bindings,
            .binding_type = {},
            .nonce = std::string(kNonceBytes, 'C')};
}

inline ScramKeys pencil_keys(ScramHash hash) {
    return derive_keys(hash, "pencil", unbase64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096).value();
}

/// The step as a T; anything else fails the test and yields an empty T.
template <class T, class Variant>
T expect(Variant step) {
    if (T* wanted = std::get_if<T>(&step)) return std::move(*wanted);
    std::string why = "another step came: " + std::to_string(step.index());
    if constexpr (std::is_same_v<Variant, Step>) {
        if (const Failure* failure = std::get_if<Failure>(&step))
            why += " (" + std::string(name_of(failure->condition)) + ", " + failure->text + ")";
    } else if (const Abort* abort = std::get_if<Abort>(&step)) {
        why += " (" + abort->reason + ")";
    }
    ADD_FAILURE() << why;
    return T{};
}

inline std::string refusal(const Step& step) {
    const Failure* failure = std::get_if<Failure>(&step);
    return failure ? std::string(name_of(failure->condition)) : "no failure";
}
inline std::string refusal_text(const Step& step) {
    const Failure* failure = std::get_if<Failure>(&step);
    return failure ? failure->text : "no failure";
}

inline std::unique_ptr<ServerMechanism> server(std::string_view name,
                                               ServerContext context = server_context()) {
    auto made = make_server_mechanism(name, std::move(context));
    EXPECT_TRUE(made.has_value()) << name;
    return made ? *std::move(made) : nullptr;
}

}  // namespace xmpp::sasl::testing

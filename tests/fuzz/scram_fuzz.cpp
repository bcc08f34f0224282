// SCRAM, PLAIN and the client against arbitrary messages: no message crashes a machine, none that
// was made without the password logs in, and what is parsed is consistent with what was sent.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reactor/base/check.h"
#include "xmpp/sasl/client.h"
#include "xmpp/sasl/mechanism.h"
#include "xmpp/sasl/scram_messages.h"

namespace {

using namespace xmpp::sasl;

ServerContext server_context() {
    return {.host = "example.com",
            .is_tls = true,
            .plus_advertised = true,
            .channel_bindings = {{"tls-exporter", std::string(32, 'e')}},
            .external_identities = {"user@example.com", "other@example.com"},
            .nonce = std::string(kNonceBytes, 'N'),
            .fake_salt_secret = std::string(32, 'S')};
}

// Everything up to the next line break; the rest stays in `input`.
std::string take_line(std::string_view& input) {
    const std::size_t end = input.find('\n');
    const std::string line(input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
}

// Keys that no password opens: whatever logs in with them has broken SCRAM.
void drive_server(std::string_view name, std::string_view input) {
    const auto machine = *make_server_mechanism(name, server_context());
    Step step = machine->start(take_line(input));
    for (int round = 0; round < 4; ++round) {
        CHECK(!std::holds_alternative<Success>(step) || name == "EXTERNAL");
        if (const auto* asked = std::get_if<NeedKeys>(&step)) {
            step = machine->provide_keys(
                fake_keys(asked->hash, asked->username, "0123456789abcdef", 4096));
        } else if (std::holds_alternative<NeedPasswordCheck>(step)) {
            step = machine->provide_verdict(false);
        } else {
            step = machine->respond(take_line(input));
        }
    }
}

void drive_client(std::string_view input) {
    const auto client = make_client_mechanism(
        "SCRAM-SHA-256",
        {.username = "user", .password = "pencil", .nonce = std::string(kNonceBytes, 'C')});
    client->start();
    ClientStep step = client->challenge(take_line(input));
    if (std::holds_alternative<NeedSaltedPassword>(step))
        step = client->provide_salted_password(std::string(32, 'p'));
    step = client->success(take_line(input));
    CHECK(!std::holds_alternative<Authenticated>(step));
}

void check_first(std::string_view message) {
    const auto first = parse_client_first(message);
    if (!first) return;
    CHECK(first->gs2_header + first->bare == message);
    CHECK(!first->username.empty() && !first->nonce.empty());
    CHECK(first->bare.starts_with("n=" + encode_saslname(first->username) + ",r=" + first->nonce));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    for (const std::string_view name :
         {"SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "PLAIN", "EXTERNAL"})
        drive_server(name, input);
    drive_client(input);
    check_first(input);
    return 0;
}

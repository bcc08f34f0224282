#include "tests/scenarios/venue.h"

namespace server::test {
namespace {

HarnessOptions options_of(const Script& script) {
    HarnessOptions options;
    if (script.shards > 0) options.shards = script.shards;
    auto config = parse_config(script.config, script.path, all_keys());
    if (!config) throw ScriptFailure("config: " + config.error().front().to_string());
    options.config = *std::move(config);
    return options;
}

}  // namespace

SimVenue::SimVenue(const Script& script)
    : harness_(std::make_unique<ServerHarness>(options_of(script))) {}

reactor::Endpoint SimVenue::endpoint(ClientTransport transport) const {
    return transport == ClientTransport::starttls ? harness_->starttls_endpoint()
                                                  : harness_->tls_endpoint();
}

void SimVenue::add_user(const std::string& bare, const std::string& password) {
    harness_->add_user(bare, password);
}

void SimVenue::remove_user(const std::string& bare) {
    harness_->remove_user(bare);
}

void SimVenue::set_password(const std::string& bare, const std::string& password) {
    harness_->set_password(bare, password);
}

void SimVenue::kick(const std::string& jid) {
    if (harness_->kick(jid) == 0) throw ScriptFailure("nobody is logged in as " + jid);
}

}  // namespace server::test

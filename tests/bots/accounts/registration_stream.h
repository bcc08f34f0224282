// RegistrationStream: one stream to a server before login, to make accounts in-band (XEP-0077 §3.1)
// one after the other. Private to tests/bots/accounts.
#pragma once

#include "reactor/deferred.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/client/connection.h"
#include "tests/bots/run/plan.h"

#include <memory>
#include <optional>
#include <string>

namespace bots {

class RegistrationStream final : private ConnectionOwner {
public:
    enum class Outcome : std::uint8_t { created, existed };

    RegistrationStream(reactor::World& world, ClientShared& shared, const Plan& plan);
    RegistrationStream(const RegistrationStream&) = delete;
    RegistrationStream& operator=(const RegistrationStream&) = delete;
    ~RegistrationStream();

    bool open() const noexcept { return state_ == State::ready; }
    /// Connects, up to the features of the stream that is as secure as the plan wants it. `source`:
    /// as for a bot of that number. Once, and again after a failure.
    reactor::Deferred<void> connect(BotNumber like);
    /// Requires open(). Failures: permission_denied (the server refuses; its words are in the
    /// text), resource_exhausted (it refuses for a while), connection_lost and the like.
    reactor::Deferred<Outcome> create(BotNumber bot);
    /// Closes the stream without waiting.
    void close();

private:
    enum class State : std::uint8_t { closed, header, features, proceed, ready, asking };

    void on_stream_open(const xmpp::StreamOpen& open) override;
    void on_element(xmpp::StanzaElement element) override;
    void on_stream_close() override;
    void on_lost(base::Failure why) override;
    bool on_quiet() override { return false; }

    void on_features(const xmpp::Element& features);
    void on_answer(const xmpp::Element& answer);
    void send_header();
    void fail(base::Failure why);
    reactor::Deferred<void> opened(std::unique_ptr<reactor::ByteStream> stream);

    reactor::World& world_;
    ClientShared& shared_;
    const Plan& plan_;
    State state_ = State::closed;
    bool secure_ = false;
    std::string id_;  // Of the request under way.
    std::unique_ptr<Connection> connection_;
    std::optional<reactor::Promise<void>> opening_;
    std::optional<reactor::Promise<Outcome>> asking_;
};

}  // namespace bots

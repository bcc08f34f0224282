#include "tests/bots/client/fake_server.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

#include <array>
#include <utility>

namespace bots::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAddress = "10.0.0.9";
constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream id='s1' from='example.org' version='1.0' "
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

}  // namespace

void Recorder::on_online(Client& client, bool resumed) {
    events.push_back(resumed ? "resumed" : "online");
    if (when_online) when_online(client);
}

void Recorder::on_offline(Client&, const base::Failure& why) {
    events.push_back("offline " + why.message());
}

void Recorder::on_message(Client& client, xmpp::Stanza message) {
    const std::string body = message.body_text();
    events.push_back("message " + body);
    if (when_message) when_message(client, body);
}

void Recorder::on_presence(Client&, xmpp::Stanza presence) {
    events.push_back("presence " + (presence.from() ? presence.from()->text() : std::string()));
}

FakeServer::FakeServer(reactor::SimWorld& sim, reactor::World& world, reactor::Endpoint at)
    : sim_(sim), world_(world) {
    auto listening = sim_.on(world_, [&] {
        return world_.network.listen({.endpoint = std::move(at)},
                                     [this](std::unique_ptr<reactor::ByteStream> stream) {
                                         waiting_.push_back(std::move(stream));
                                     });
    });
    if (!listening) throw Unexpected(listening.error().message());
    listener_ = *std::move(listening);
}

FakeServer::~FakeServer() {
    sim_.on(world_, [this] {
        waiting_.clear();
        stream_.reset();
        listener_.reset();
    });
}

void FakeServer::accept() {
    if (!sim_.run_until([this] { return !waiting_.empty(); }, 10min))
        throw Unexpected("nobody connects");
    sim_.on(world_, [this] {
        stream_ = std::move(waiting_.front());
        waiting_.pop_front();
        parser_ = xmpp::StreamParser();
        outbound_.clear();
        events_.clear();
        stream_->set_observer(this);
        stream_->arm(reactor::Interest::readable);
    });
}

void FakeServer::on_ready(reactor::Interest interest) {
    if (interest == reactor::Interest::readable) return read();
    (void)outbound_.flush(*stream_);
}

void FakeServer::read() {
    std::array<std::byte, 4096> buffer;
    for (;;) {
        const reactor::IoResult result = stream_->try_read(buffer);
        if (result.status == reactor::IoStatus::would_block)
            return stream_->arm(reactor::Interest::readable);
        if (result.status != reactor::IoStatus::ok) {
            events_.emplace_back(End{});
            return;
        }
        parser_.feed(std::span(buffer).first(result.bytes));
        for (xmpp::ParserEvent event = parser_.next();
             !std::holds_alternative<xmpp::NeedMore>(event); event = parser_.next()) {
            if (auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
                const bool restarts = stanza->element.is("auth", xmpp::ns::sasl);
                events_.emplace_back(std::move(stanza->element));
                if (restarts) parser_.reset();
            } else if (std::holds_alternative<xmpp::StreamOpen>(event)) {
                events_.emplace_back(Header{});
            } else if (std::holds_alternative<xmpp::StreamClose>(event)) {
                events_.emplace_back(Close{});
                break;
            } else {
                throw Unexpected("the client's XML is broken");
            }
        }
    }
}

FakeServer::Event FakeServer::next() {
    if (!sim_.run_until([this] { return !events_.empty(); }, 10min))
        throw Unexpected("the client says nothing");
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

std::string FakeServer::expect() {
    Event event = next();
    if (auto* element = std::get_if<xmpp::Element>(&event))
        return xmpp::to_xml(*element, xmpp::ns::client);
    return std::holds_alternative<Header>(event)  ? "a header"
           : std::holds_alternative<Close>(event) ? "the closing tag"
                                                  : "the end";
}

void FakeServer::expect_header() {
    if (!std::holds_alternative<Header>(next())) throw Unexpected("no stream header");
}

void FakeServer::expect_close() {
    if (!std::holds_alternative<Close>(next())) throw Unexpected("no closing tag");
}

void FakeServer::expect_end() {
    if (!std::holds_alternative<End>(next())) throw Unexpected("the connection goes on");
}

void FakeServer::expect_nothing(base::Duration time) {
    if (sim_.run_until([this] { return !events_.empty(); }, time))
        throw Unexpected("unexpected " + expect());
}

void FakeServer::send(std::string_view text) {
    sim_.on(world_, [&] {
        outbound_.append(text);
        if (outbound_.flush(*stream_).status == reactor::IoStatus::would_block)
            stream_->arm(reactor::Interest::writable);
    });
}

void FakeServer::reset() {
    sim_.on(world_, [this] {
        stream_->abort();
        stream_.reset();
    });
}

void FakeServer::end() {
    sim_.on(world_, [this] { stream_->shutdown_write(); });
}

void FakeServer::open(std::string_view features) {
    expect_header();
    send(kHeader);
    send("<stream:features>" + std::string(features) + "</stream:features>");
}

void FakeServer::log_in(std::string_view content) {
    accept();
    open(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>"
        "</mechanisms>");
    if (const std::string auth = expect(); !auth.contains("ANONYMOUS")) throw Unexpected(auth);
    send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    open(content);
}

void FakeServer::log_in_and_bind(std::string_view others) {
    log_in(std::string(kBind) + std::string(others));
    if (const std::string bind = expect(); !bind.contains("xmpp-bind")) throw Unexpected(bind);
    send(
        "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<jid>me@example.org/1</jid></bind></iq>");
}

void FakeServer::log_in_with_sm(std::string_view id) {
    log_in_and_bind(kSm);
    if (const std::string enable = expect();
        enable != "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        throw Unexpected(enable);
    send("<enabled xmlns='urn:xmpp:sm:3' resume='true' id='" + std::string(id) + "'/>");
}

FakeWorld::FakeWorld()
    : sim({},
          [this](reactor::World& world) {
              return reactor::make_sim_network(world, internet, std::string(kAddress));
          }),
      client_world(sim.world(0, sim.add_node(1,
                                             [this](reactor::World& world) {
                                                 return reactor::make_sim_network(world, internet,
                                                                                  "10.0.2.1");
                                             }))),
      server(sim, sim.world(0), {std::string(kAddress), 5222}),
      shared({.world = client_world, .resolver = nullptr, .tls = nullptr}) {}

FakeWorld::~FakeWorld() {
    on_client([this] { clients.clear(); });
    sim.run_ready();
}

ClientOptions FakeWorld::options() {
    ClientOptions options;
    options.jid = *xmpp::Jid::parse("example.org");
    options.addresses = {{std::string(kAddress), 5222}};
    options.security = ClientSecurity::none;
    return options;
}

Client& FakeWorld::client(ClientOptions with) {
    return *clients.emplace_back(std::make_unique<Client>(shared, std::move(with), recorder));
}

}  // namespace bots::test

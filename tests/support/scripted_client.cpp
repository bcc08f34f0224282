#include "tests/support/scripted_client.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/sasl/client.h"
#include "xmpp/xml/writer.h"

#include <array>
#include <utility>

namespace server::test {
namespace {

std::string header(std::string_view host) {
    return "<?xml version='1.0'?><stream:stream to='" + std::string(host) +
           "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
}

template <class T>
T require(ScriptedClient::Event event, std::string_view wanted) {
    if (T* found = std::get_if<T>(&event)) return std::move(*found);
    throw ScriptFailure("expected " + std::string(wanted) + ", got " +
                        ScriptedClient::describe(event));
}

}  // namespace

std::string ScriptedClient::describe(const Event& event) {
    if (const auto* element = std::get_if<xmpp::Element>(&event))
        return xmpp::to_xml(*element, xmpp::ns::client);
    if (std::holds_alternative<xmpp::StreamOpen>(event)) return "a stream header";
    if (std::holds_alternative<StreamClosed>(event)) return "the closing tag";
    return "the end of the connection";
}

ScriptedClient::ScriptedClient(Stage& stage, std::string address)
    : stage_(stage), network_(stage.network(std::move(address))) {}

ScriptedClient::ScriptedClient(reactor::SimWorld& sim, reactor::World& world,
                               reactor::SimInternet& internet, std::string address)
    : own_stage_(std::make_unique<SimStage>(sim, world, internet)),
      stage_(*own_stage_),
      network_(stage_.network(std::move(address))) {}

ScriptedClient::~ScriptedClient() {
    stage_.on([this] { stream_.reset(); });
}

void ScriptedClient::connect(const reactor::Endpoint& to) {
    auto connecting = stage_.on([&] { return network_->connect(to); });
    if (!stage_.run_until([&] { return connecting.settled(); }, limit))
        throw ScriptFailure("cannot connect in time");
    auto connected = connecting.take();
    if (!connected) throw ScriptFailure("cannot connect: " + connected.error().message());
    stage_.on([&] {
        stream_ = *std::move(connected);
        tls_ = nullptr;
        parser_ = xmpp::StreamParser();
        events_.clear();
        outbound_.clear();
        broken_.clear();
        reading_ = true;
        ended_ = false;
        stream_->set_observer(this);
        stream_->arm(reactor::Interest::readable);
    });
}

void ScriptedClient::start_tls(std::string server_name, std::vector<std::string> alpn) {
    reactor::TlsClientOptions options;
    options.verify = reactor::TlsVerify::none;
    options.alpn = std::move(alpn);
    options.identity = identity_;
    options.version_max = tls_max_;
    auto context = reactor::TlsClientContext::create(options);
    if (!context) throw ScriptFailure(context.error().message());
    stage_.on([&] {
        stream_->disarm(reactor::Interest::readable);
        stream_->set_observer(nullptr);
        auto tls = reactor::TlsStream::client(std::move(stream_), *context, std::move(server_name));
        tls_ = tls.get();
        stream_ = std::move(tls);
        parser_.reset();
        stream_->set_observer(this);
        stream_->arm(reactor::Interest::readable);
    });
}

void ScriptedClient::send(std::string_view text) {
    stage_.on([&] {
        if (ended_) return;
        outbound_.append(text);
        flush();
    });
}

void ScriptedClient::trickle(std::string_view text, base::Duration pause) {
    for (const char byte : text) {
        send({&byte, 1});
        stage_.pass(pause);
        if (ended_) return;
    }
}

void ScriptedClient::shutdown_write() {
    stage_.on([&] {
        if (!ended_) stream_->shutdown_write();
    });
}

void ScriptedClient::reset() {
    stage_.on([&] {
        if (!ended_) stream_->abort();
        stream_.reset();
        ended_ = true;
    });
}

void ScriptedClient::read_on() {
    reading_ = true;
    stage_.on([&] {
        if (!ended_) stream_->arm(reactor::Interest::readable);
    });
}

void ScriptedClient::on_ready(reactor::Interest interest) {
    if (interest == reactor::Interest::readable) {
        if (reading_) read();
    } else {
        flush();
    }
}

void ScriptedClient::read() {
    std::array<std::byte, 16'384> buffer;
    for (;;) {
        const reactor::IoResult result = stream_->try_read(buffer);
        if (result.status == reactor::IoStatus::would_block) break;
        if (result.status != reactor::IoStatus::ok) {
            ended_ = true;
            events_.push_back(ConnectionEnded{result.status == reactor::IoStatus::end_of_stream});
            stream_->close();
            stream_.reset();
            tls_ = nullptr;
            return;
        }
        bytes_received_ += result.bytes;
        parser_.feed(std::span(buffer).first(result.bytes));
        take_events();
    }
    stream_->arm(reactor::Interest::readable);
}

void ScriptedClient::take_events() {
    for (;;) {
        xmpp::ParserEvent event = parser_.next();
        if (std::holds_alternative<xmpp::NeedMore>(event)) return;
        if (auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
            const bool restarts = stanza->element.is("success", xmpp::ns::sasl) ||
                                  stanza->element.is("proceed", xmpp::ns::tls);
            events_.push_back(std::move(stanza->element));
            if (restarts) parser_.reset();
        } else if (auto* open = std::get_if<xmpp::StreamOpen>(&event)) {
            events_.push_back(std::move(*open));
        } else if (std::holds_alternative<xmpp::StreamClose>(event)) {
            events_.push_back(StreamClosed{});
            return;
        } else {
            broken_ = std::get<xmpp::ParserError>(event).error.to_xml();
            return;
        }
    }
}

void ScriptedClient::flush() {
    const reactor::IoResult result = outbound_.flush(*stream_);
    if (result.status == reactor::IoStatus::failed) {
        outbound_.clear();
        return;
    }
    if (!outbound_.empty()) stream_->arm(reactor::Interest::writable);
}

ScriptedClient::Event ScriptedClient::next() {
    const bool came =
        stage_.run_until([this] { return !events_.empty() || !broken_.empty(); }, limit);
    if (events_.empty() && !broken_.empty())
        throw ScriptFailure("the server sent broken XML: " + broken_);
    if (!came) throw ScriptFailure("nothing came in time");
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

xmpp::StreamOpen ScriptedClient::expect_open() {
    return require<xmpp::StreamOpen>(next(), "a stream header");
}

xmpp::Element ScriptedClient::expect_element() {
    return require<xmpp::Element>(next(), "an element");
}

void ScriptedClient::expect_close() {
    require<StreamClosed>(next(), "the closing tag");
}

ConnectionEnded ScriptedClient::expect_end() {
    return require<ConnectionEnded>(next(), "the end of the connection");
}

void ScriptedClient::expect_nothing(base::Duration time) {
    stage_.run_until([this] { return !events_.empty(); }, time);
    if (!events_.empty()) throw ScriptFailure("unexpected: " + describe(events_.front()));
}

std::string ScriptedClient::expect_stream_error() {
    const xmpp::Element error = expect_element();
    if (!error.is("error", xmpp::ns::stream))
        throw ScriptFailure("expected a stream error, got " + xmpp::to_xml(error));
    expect_close();
    expect_end();
    return error.first_child() == nullptr ? std::string() : error.first_child()->name();
}

xmpp::Element ScriptedClient::open(std::string_view host) {
    send(header(host));
    expect_open();
    return expect_element();
}

xmpp::Element ScriptedClient::secure(std::string_view host) {
    open(host);
    send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    const xmpp::Element proceed = expect_element();
    if (!proceed.is("proceed", xmpp::ns::tls))
        throw ScriptFailure("expected proceed, got " + xmpp::to_xml(proceed));
    start_tls(std::string(host));
    return open(host);
}

std::vector<xmpp::sasl::ChannelBinding> ScriptedClient::bindings() {
    std::vector<xmpp::sasl::ChannelBinding> found;
    if (tls_ == nullptr) return found;
    using reactor::ChannelBinding;
    const std::pair<ChannelBinding, std::string_view> types[] = {
        {ChannelBinding::tls_exporter, xmpp::sasl::kTlsExporter},
        {ChannelBinding::tls_server_end_point, xmpp::sasl::kTlsServerEndPoint},
        {ChannelBinding::first_finished, xmpp::sasl::kTlsUnique},
    };
    for (const auto& [type, name] : types)
        if (auto data = tls_->channel_binding(type))
            found.push_back({std::string(name), *std::move(data)});
    return found;
}

xmpp::Element ScriptedClient::log_in(std::string username, std::string password,
                                     std::string_view mechanism, std::string binding) {
    using namespace xmpp::sasl;
    ClientContext context;
    context.username = std::move(username);
    context.password = password;
    context.channel_bindings = bindings();
    if (mechanism.ends_with("-PLUS")) context.binding_type = std::move(binding);
    context.authzid = tricks.authzid;
    context.could_have_bound = tricks.claims_no_plus;
    if (tricks.other_binding_data)
        for (ChannelBinding& bound : context.channel_bindings)
            bound.data.front() ^= 1;
    context.nonce = stage_.world().entropy.token(18);
    auto exchange = make_client_mechanism(mechanism, std::move(context));
    if (exchange == nullptr) throw ScriptFailure("no such mechanism on our side");
    ClientStep step = exchange->start();
    std::string verb = "auth";
    for (;;) {
        if (auto* salted = std::get_if<NeedSaltedPassword>(&step)) {
            step = exchange->provide_salted_password(
                salt_password(salted->hash, password, salted->salt, salted->iterations).value());
            continue;
        }
        if (!std::holds_alternative<Response>(step)) throw ScriptFailure("the client gives up");
        std::string data = std::get<Response>(step).data;
        if (tricks.other_nonce && verb == "response") data.insert(data.find(",r=") + 3, "x");
        const bool is_empty_initial = verb == "auth" && data.empty();
        xmpp::Element element(verb, xmpp::ns::sasl,
                              is_empty_initial ? "=" : base::base64_encode(data));
        if (verb == "auth") element.set_attribute("mechanism", mechanism);
        send(xmpp::to_xml(element, xmpp::ns::client));
        xmpp::Element answer = expect_element();
        if (answer.name() == "success" && !answer.text().empty() &&
            !std::holds_alternative<Authenticated>(
                exchange->success(base::base64_decode(answer.text()))))
            throw ScriptFailure("the server did not prove that it knows the account");
        if (answer.name() != "challenge") return answer;
        step = exchange->challenge(base::base64_decode(answer.text()).value());
        verb = "response";
    }
}

xmpp::Element ScriptedClient::bind(std::string_view resource) {
    const std::string wanted =
        resource.empty() ? std::string() : "<resource>" + std::string(resource) + "</resource>";
    send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + wanted +
         "</bind></iq>");
    return expect_element();
}

void ScriptedClient::become(std::string_view username, std::string_view password,
                            std::string_view resource) {
    if (tls_ == nullptr) {
        secure();
    } else {
        open();
    }
    log_in_and_bind(username, password, resource);
}

void ScriptedClient::log_in_and_bind(std::string_view username, std::string_view password,
                                     std::string_view resource, std::string_view host,
                                     std::string_view mechanism) {
    const xmpp::Element outcome = log_in(std::string(username), std::string(password), mechanism);
    if (outcome.name() != "success") throw ScriptFailure("cannot log in: " + xmpp::to_xml(outcome));
    open(host);
    const xmpp::Element bound = bind(resource);
    if (bound.attribute("type") != "result")
        throw ScriptFailure("cannot bind: " + xmpp::to_xml(bound));
    jid_ = bound.first_child()->child_text("jid");
}

}  // namespace server::test

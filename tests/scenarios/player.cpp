#include "tests/scenarios/player.h"

#include "tests/scenarios/verbs.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

#include <fmt/format.h>
#include <algorithm>

namespace server::test {
namespace {

using xmpp::Element;

template <class T>
T require(ScriptedClient::Event event, std::string_view wanted) {
    if (T* found = std::get_if<T>(&event)) return std::move(*found);
    throw ScriptFailure(
        fmt::format("expected {}, got {}", wanted, ScriptedClient::describe(event)));
}

std::string xml_of(const Element& element) {
    return xmpp::to_xml(element, xmpp::ns::client);
}

std::string host_of(std::string_view jid) {
    const std::string_view bare = jid.substr(0, jid.find('/'));
    return std::string(bare.substr(bare.find('@') + 1));
}

std::string local_of(std::string_view jid) {
    return std::string(jid.substr(0, jid.find('@')));
}

std::string resource_of(std::string_view jid) {
    const std::size_t slash = jid.find('/');
    return slash == std::string_view::npos ? std::string() : std::string(jid.substr(slash + 1));
}

std::string bare_of(std::string_view jid) {
    return std::string(jid.substr(0, jid.find('/')));
}

unsigned hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
    throw ScriptFailure("\\x wants two lower-case hexadecimal digits");
}

// \n, \r, \t, \\ and \xff in raw text.
std::string unescaped(std::string_view text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\' || at + 1 == text.size()) {
            bytes += text[at];
            continue;
        }
        switch (text[++at]) {
            case 'n':
                bytes += '\n';
                break;
            case 'r':
                bytes += '\r';
                break;
            case 't':
                bytes += '\t';
                break;
            case 'x':
                if (at + 2 >= text.size()) throw ScriptFailure("\\x wants two digits");
                bytes += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
                at += 2;
                break;
            default:
                bytes += text[at];
        }
    }
    return bytes;
}

}  // namespace

Player::~Player() = default;

void Player::play() {
    const Step* current = nullptr;
    try {
        for (const Step& step : script_.steps) {
            current = &step;
            run(step);
        }
        current = nullptr;
        check_leftovers();
    } catch (const ScriptFailure& failure) {
        if (current == nullptr)
            throw ScriptFailure(fmt::format("{}: at the end: {}", script_.path, failure.what()));
        throw ScriptFailure(fmt::format("{}:{}: {}: {}", script_.path, current->line,
                                        current->text(), failure.what()));
    }
}

void Player::run(const Step& step) {
    const std::optional<VerbMatch> match = find_verb(step);
    if (!match) throw ScriptFailure("no such step; tests/scenarios/README.md lists them");
    if (match->verb->takes_argument == Argument::required && step.argument.empty())
        throw ScriptFailure("this step wants something behind a colon");
    if (match->verb->takes_argument == Argument::none && !step.argument.empty())
        throw ScriptFailure("this step takes nothing behind a colon");
    // What one client sends goes its way in order, until it breaks.
    if (step.words.front() != last_who_ || step.words.back() == "breaks") venue_.come_to_rest();
    last_who_ = step.words.front();
    match->verb->run(*this, {step, match->words});
}

// What nobody asked for is an error too: a message twice, a push to the wrong client.
void Player::check_leftovers() {
    venue_.stage().pass(venue_.settle_time());
    for (auto& [name, actor] : actors_) {
        if (!actor.client || !actor.client->has_event()) continue;
        const ScriptedClient::Event event = actor.client->next();
        if (std::holds_alternative<ConnectionEnded>(event)) continue;
        throw ScriptFailure(name + " also received " + ScriptedClient::describe(event));
    }
}

Player::Actor& Player::actor(const std::string& name) {
    const auto found = actors_.find(name);
    if (found != actors_.end()) return found->second;
    Actor& made = actors_[name];
    made.address = "10.0.1." + std::to_string(actors_.size());
    return made;
}

ScriptedClient& Player::client(const std::string& name) {
    Actor& found = actor(name);
    if (!found.client) throw ScriptFailure(name + " is not connected");
    return *found.client;
}

void Player::declare(const std::string& name, const std::string& jid, const std::string& password,
                     bool account) {
    Actor& made = actor(name);
    if (!made.jid.empty()) throw ScriptFailure(name + " is somebody already");
    made.jid = jid;
    made.password = password;
    variables_[name] = jid;
    if (account && accounts_.insert(bare_of(jid)).second) venue_.add_user(bare_of(jid), password);
}

// --- connections

void Player::open(const std::string& name, ClientTransport transport,
                  std::vector<std::string> alpn) {
    Actor& who = actor(name);
    if (!who.client) who.client = std::make_unique<ScriptedClient>(venue_.stage(), who.address);
    who.client->limit = venue_.patience();
    who.client->connect(venue_.endpoint(transport));
    if (transport == ClientTransport::direct_tls)
        who.client->start_tls(who.jid.empty() ? "example.org" : host_of(who.jid), std::move(alpn));
}

void Player::open_stream(const std::string& name, const std::string& host) {
    if (!actor(name).client || !actor(name).client->connected())
        open(name, ClientTransport::starttls, {});
    const Element features = client(name).open(host);
    if (!features.is("features", xmpp::ns::stream))
        throw ScriptFailure("expected features, got " + xml_of(features));
}

void Player::connect(const std::string& name, ClientTransport transport,
                     const std::string& mechanism, const std::string& binding) {
    const std::string jid = actor(name).jid;
    if (jid.empty()) throw ScriptFailure(name + " is nobody yet");
    open(name, transport, {"xmpp-client"});
    if (transport == ClientTransport::starttls) {
        client(name).secure(host_of(jid));
    } else {
        client(name).open(host_of(jid));
    }
    authenticate(name, mechanism, binding);
    open_stream(name, host_of(jid));
    bind(name, resource_of(jid));
}

void Player::authenticate(const std::string& name, const std::string& mechanism,
                          const std::string& binding) {
    const Actor& who = actor(name);
    const Element outcome = client(name).log_in(local_of(who.jid), who.password, mechanism,
                                                binding.empty() ? "tls-exporter" : binding);
    if (outcome.name() != "success")
        throw ScriptFailure("expected success, got " + xml_of(outcome));
}

void Player::refuse_authentication(const std::string& name, const std::string& mechanism,
                                   const std::string& password, const Step& step) {
    const Actor& who = actor(name);
    const Element outcome = client(name).log_in(
        local_of(who.jid), password.empty() ? who.password : password, mechanism);
    const bool as_wanted = outcome.is("failure", xmpp::ns::sasl) &&
                           outcome.child(step.argument, xmpp::ns::sasl) != nullptr;
    if (!as_wanted)
        throw ScriptFailure(fmt::format("expected {}, got {}", step.argument, xml_of(outcome)));
}

void Player::bind(const std::string& name, const std::string& resource) {
    const Element bound = client(name).bind(resource);
    if (bound.attribute("type") != "result" || bound.first_child() == nullptr)
        throw ScriptFailure("expected a bound resource, got " + xml_of(bound));
    variables_[name] = bound.first_child()->child_text("jid");
    client(name).set_jid(variables_[name]);
}

// The own presence comes back (RFC 6121 §4.2.2); what comes before it stays for later steps.
void Player::come_online(const std::string& name, const std::string& presence) {
    connect(name, ClientTransport::starttls, "SCRAM-SHA-256", "");
    ScriptedClient& who = client(name);
    who.send(presence);
    std::vector<ScriptedClient::Event> others;
    for (;;) {
        ScriptedClient::Event event = who.next();
        const Element* element = std::get_if<Element>(&event);
        if (element != nullptr && element->name() == "presence" &&
            element->attribute("from") == variables_[name] && !element->has_attribute("type"))
            break;
        others.push_back(std::move(event));
    }
    for (auto event = others.rbegin(); event != others.rend(); ++event)
        who.put_back(std::move(*event));
}

void Player::close(const std::string& name) {
    client(name).send("</stream:stream>");
    expect_closed(name);
}

// Connections that say nothing, for the limits on their number.
void Player::open_strangers(unsigned long count, bool one_address) {
    for (unsigned long i = 0; i < count; ++i) {
        const unsigned long host = one_address ? 1 : i;
        strangers_.push_back(std::make_unique<ScriptedClient>(
            venue_.stage(), fmt::format("10.1.{}.{}", host / 250, host % 250 + 1)));
        strangers_.back()->connect(venue_.endpoint(ClientTransport::starttls));
    }
}

void Player::count_strangers(unsigned long expected) {
    venue_.stage().pass(venue_.settle_time());
    const auto connected = static_cast<unsigned long>(
        std::ranges::count_if(strangers_, [](const auto& one) { return !one->ended(); }));
    if (connected != expected) throw ScriptFailure(fmt::format("{} are connected", connected));
}

// --- what is sent

void Player::send(const std::string& name, const Step& step) {
    const std::string xml = substitute(step.argument, variables_);
    static_cast<void>(parse_elements(xml));  // Mistakes are for `sends raw`.
    client(name).send(xml);
}

void Player::send_raw(const std::string& name, const Step& step, unsigned long times) {
    const std::string bytes = unescaped(substitute(step.argument, variables_));
    constexpr std::string_view kNumber = "{n}";
    const std::size_t number = bytes.find(kNumber);
    std::string all;
    all.reserve(bytes.size() * times);
    for (unsigned long i = 1; i <= times; ++i) {
        std::string one = bytes;
        if (number != std::string::npos) one.replace(number, kNumber.size(), std::to_string(i));
        all += one;
    }
    client(name).send(all);
}

// --- what is received

void Player::receive(const std::string& name, const Step& step) {
    for (const Element& pattern : parse_elements(step.argument)) {
        const auto actual = require<Element>(client(name).next(), xml_of(pattern));
        if (const auto wrong = mismatch(pattern, actual, variables_))
            throw ScriptFailure(fmt::format("{}\n  expected {}\n  got      {}", *wrong,
                                            xml_of(pattern), xml_of(actual)));
    }
}

void Player::receive_unordered(const std::string& name, const Step& step) {
    std::vector<Element> patterns = parse_elements(step.argument);
    while (!patterns.empty()) {
        const auto actual = require<Element>(client(name).next(), xml_of(patterns.front()));
        const auto found = std::ranges::find_if(patterns, [&](const Element& pattern) {
            return !mismatch(pattern, actual, variables_);
        });
        if (found == patterns.end()) {
            std::string all;
            for (const Element& pattern : patterns)
                all += "\n  " + xml_of(pattern);
            throw ScriptFailure(
                fmt::format("got {}\n  but expected one of{}", xml_of(actual), all));
        }
        patterns.erase(found);
    }
}

void Player::receive_header(const std::string& name, const Step& step) {
    const xmpp::StreamOpen open = client(name).expect_open();
    Element actual("header", xmpp::ns::client);
    const std::pair<std::string_view, const std::string&> attributes[] = {
        {"from", open.from},       {"to", open.to},     {"id", open.id},
        {"version", open.version}, {"lang", open.lang}, {"ns", open.content_ns}};
    for (const auto& [key, value] : attributes)
        if (!value.empty()) actual.set_attribute(key, value);
    const Element pattern = parse_elements("<header " + step.argument + "/>").at(0);
    if (const auto wrong = mismatch(pattern, actual, variables_)) throw ScriptFailure(*wrong);
}

void Player::receive_stream_error(const std::string& name, const std::string& condition,
                                  const Step& step) {
    ScriptedClient& who = client(name);
    const auto error = require<Element>(who.next(), "the stream error " + condition);
    const bool as_wanted = error.is("error", xmpp::ns::stream) &&
                           error.child(condition, xmpp::ns::stream_errors) != nullptr;
    if (!as_wanted)
        throw ScriptFailure(
            fmt::format("expected the stream error {}, got {}", condition, xml_of(error)));
    if (!step.argument.empty()) {
        Element pattern("error", xmpp::ns::stream);
        for (Element& child : parse_elements(step.argument))
            pattern.add(std::move(child));
        if (const auto wrong = mismatch(pattern, error, variables_)) throw ScriptFailure(*wrong);
    }
    expect_closed(name);
}

void Player::receive_nothing(const std::string& name, base::Duration time) {
    client(name).expect_nothing(time);
}

void Player::expect_closed(const std::string& name) {
    client(name).expect_close();
    client(name).expect_end();
}

void Player::expect_cut_off(const std::string& name) {
    client(name).expect_end();
}

}  // namespace server::test

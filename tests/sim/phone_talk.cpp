// Phone: what it says and what it is told.
#include "reactor/reactor.h"
#include "tests/sim/crowd.h"
#include "tests/sim/phone.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/carbon.h"

#include <fmt/format.h>
#include <charconv>
#include <chrono>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kAnswerTimeout = 40s;

/// "#3 5 17": from device 3 to account 5, number 17. Behind it: anything.
std::optional<MessageKey> parse_key(std::string_view text) {
    std::uint32_t numbers[3] = {};
    if (!text.starts_with('#')) return std::nullopt;
    text.remove_prefix(1);
    for (std::uint32_t& number : numbers) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (!text.empty()) text.remove_prefix(1);
    }
    return MessageKey{numbers[0], numbers[1], numbers[2]};
}

std::string text_of(const MessageKey& key) {
    return fmt::format("#{} {} {}", key.sender, key.to, key.number);
}

// The server's word, not that of a sender who could not send it sooner.
bool says_delayed(const xmpp::Element& message) {
    const xmpp::Element* delay = message.child("delay", "urn:xmpp:delay");
    for (const xmpp::Element& child : message.children())
        if (child.is("delay", "urn:xmpp:delay") && !child.attribute("from").empty()) delay = &child;
    return delay != nullptr && !delay->attribute("from").empty();
}

}  // namespace

// Kept as the client keeps it, so that its count of what was acknowledged names stanzas.
bool Phone::send(std::string_view xml, bool is_message, std::optional<MessageKey> key) {
    if (!client_->send_xml(xml)) return false;
    if (counts_) outgoing_.push_back({is_message, false, key});
    return true;
}

void Phone::write_to(AccountNumber to, std::optional<DeviceNumber> device) {
    std::string address = crowd_.account(to).jid.text();
    if (device) address = crowd_.phones()[*device]->jid();
    if (address.empty() || (!online() && !counts_)) return;
    const MessageKey key = crowd_.messages().sent(number_, to, device);
    std::string body = text_of(key);
    if (chance_.percent(10)) body += " " + std::string(chance_.below(3000), 'x');
    const std::string_view type = chance_.percent(85) ? "chat" : "normal";
    if (device && type == "normal") crowd_.messages().is_for_that_device_alone(key);
    const std::string xml =
        fmt::format("<message to='{}' type='{}' id='{}'><body>{}</body></message>", address, type,
                    text_of(key), body);
    if (!send(xml, true, key)) return crowd_.messages().given_up(key);
    if (!counts_) unanswered_.push_back(key);
}

// Without stream management an answer to a later request says that all before it was taken.
void Phone::ask_what_arrived() {
    if (counts_ || unanswered_.empty() || !online()) return;
    request(xmpp::IqType::get, xmpp::Element("ping", xmpp::ns::ping),
            [this, asked = unanswered_](bool answered) {
                for (const MessageKey& key : asked) {
                    if (answered) crowd_.messages().acknowledged(key);
                    std::erase(unanswered_, key);
                }
            });
}

void Phone::request(xmpp::IqType type, std::optional<xmpp::Element> payload, Answered answered) {
    if (!online()) return;
    xmpp::Stanza iq = xmpp::Stanza::iq(type, {});
    if (payload) iq.edit().add(*std::move(payload));
    ++open_requests_;
    if (counts_) outgoing_.push_back({});
    auto asking = client_->request(std::move(iq), kAnswerTimeout);
    tasks_.add("request", wait_for_answer(std::move(asking), std::move(answered)));
}

reactor::Deferred<void> Phone::wait_for_answer(reactor::Deferred<xmpp::Stanza> asking,
                                               Answered answered) {
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking).as_result();
    --open_requests_;
    if (!answer) note(fmt::format("a request failed: {}", base::name_of(answer.error().code())));
    answered(answer.has_value());
    co_return {};
}

void Phone::look_at_roster() {
    if (!online()) return;
    ++open_requests_;
    if (counts_) outgoing_.push_back({});
    const auto take =
        [](Phone& phone,
           reactor::Deferred<std::vector<xmpp::Element>> fetching) -> reactor::Deferred<void> {
        const auto items = co_await std::move(fetching).as_result();
        --phone.open_requests_;
        if (!items) co_return {};
        phone.roster_.clear();
        for (const xmpp::Element& item : *items)
            phone.roster_[std::string(item.attribute("jid"))] = {
                std::string(item.attribute("subscription")), !item.attribute("ask").empty()};
        co_return {};
    };
    tasks_.add("roster", take(*this, client_->fetch_roster()));
}

std::optional<xmpp::Stanza> Phone::on_request(bots::Client& client, const xmpp::Stanza& iq) {
    crowd_.messages().heard_from(number_);
    auto reply = bots::ClientObserver::on_request(client, iq);
    if (reply && counts_) outgoing_.push_back({});
    return reply;
}

void Phone::on_message(bots::Client& client, xmpp::Stanza message) {
    crowd_.messages().heard_from(number_);
    if (message.is_error()) {
        const auto error = message.error();
        if (const auto key = parse_key(message.id()))
            crowd_.messages().refused(*key, error ? name_of(error->condition()) : "?");
        return;
    }
    if (const xmpp::Element* result = message.child("result", xmpp::ns::archive))
        return see_archived(*result);
    if (const xmpp::Element* copied = xmpp::copied_message(message)) {
        if (!message.from() || message.from()->text() != client.jid().bare_view())
            return crowd_.messages().violation(name_ + " got a copy from a stranger");
        const bool is_own = message.child("sent", xmpp::ns::carbons) != nullptr;
        return see(*copied, is_own ? Way::own_copy : Way::copy);
    }
    see(message.element(), Way::itself);
}

std::optional<MessageKey> Phone::read_key(const xmpp::Element& message) {
    return parse_key(message.child_text("body", xmpp::ns::client));
}

void Phone::see(const xmpp::Element& message, Way way) {
    const auto key = read_key(message);
    if (key) crowd_.messages().arrived(*key, number_, way, says_delayed(message));
}

void Phone::on_presence(bots::Client&, xmpp::Stanza presence) {
    crowd_.messages().heard_from(number_);
    if (!presence.from()) return;
    const std::string from = presence.from()->text();
    switch (presence.presence_type()) {
        case xmpp::PresenceType::available:
            seen_online_.insert(from);
            break;
        case xmpp::PresenceType::unavailable:
            seen_online_.erase(from);
            break;
        case xmpp::PresenceType::subscribe: {
            const bool allows = chance_.percent(90);
            note((allows ? "lets " : "does not let ") + from + " see its presence");
            send(fmt::format("<presence to='{}' type='{}'/>", presence.from()->bare_view(),
                             allows ? "subscribed" : "unsubscribed"),
                 false);
            break;
        }
        default:
            break;
    }
}

}  // namespace sim

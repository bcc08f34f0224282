#include "tests/support/room_client.h"

#include "reactor/reactor.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/mam.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace test {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kKnockInterval = 300ms;
constexpr base::Duration kAnswerTimeout = 40s;
constexpr std::uint32_t kPageMessages = 100;

bool has_status(const xmpp::Stanza& presence, std::string_view code) {
    const xmpp::Element* x = presence.child("x", xmpp::ns::muc_user);
    return x != nullptr && std::ranges::any_of(x->children(), [&](const xmpp::Element& child) {
               return child.name() == "status" && child.attribute("code") == code;
           });
}

std::string id_by(const xmpp::Element& message, const xmpp::Jid& room) {
    for (const xmpp::Element& child : message.children())
        if (child.is("stanza-id", xmpp::ns::stanza_ids) && child.attribute("by") == room.text())
            return std::string(child.attribute("id"));
    return {};
}

bool is_delayed_by(const xmpp::Element& message, const xmpp::Jid& room) {
    return std::ranges::any_of(message.children(), [&](const xmpp::Element& child) {
        return child.is("delay", xmpp::ns::delay) && child.attribute("from") == room.text();
    });
}

// Of a message or a change of subject.
std::string text_of(const xmpp::Stanza& message) {
    return message.has_body() ? message.body_text()
                              : message.element().child_text("subject", xmpp::ns::client);
}

}  // namespace

RoomClient::RoomClient(Parts parts, Place place, bots::ClientOptions options)
    : parts_(std::move(parts)), place_(std::move(place)), options_(std::move(options)) {
    start_anew();
}

RoomClient::~RoomClient() = default;

void RoomClient::start_anew() {
    end_visit();
    outgoing_.clear();
    told_twice_ = 0;
    continues_ = false;
    counts_ = false;
    client_.reset();
    client_ = std::make_unique<bots::Client>(parts_.shared, options_,
                                             static_cast<bots::ClientObserver&>(*this));
}

bool RoomClient::at_rest() const {
    return online() && is_settled() && open_requests_ == 0 &&
           std::ranges::none_of(outgoing_, [](const auto& word) { return word.has_value(); });
}

std::string RoomClient::unrest() const {
    return place_.nick + ": " + (online() ? "online" : "offline") + ", " +
           (is_settled() ? "inside"
            : is_in()    ? "unsettled"
                         : "outside") +
           ", " + std::to_string(open_requests_) + " requests open, " +
           std::to_string(outgoing_.size()) + " stanzas unacknowledged";
}

void RoomClient::end_visit() {
    parts_.book.leaves(place_.number, place_.room);
    occupants_.clear();
    knocked_at_ = {};
}

// --- what it says

bool RoomClient::send(const std::string& xml, std::optional<RoomBook::Word> word) {
    if (!client_->send_xml(xml)) return false;
    if (counts_) outgoing_.push_back(word);
    return true;
}

void RoomClient::enter(std::uint32_t history) {
    const base::MonotonicTime now = client_->world().reactor.now();
    if (!online() || now - knocked_at_ < kKnockInterval) return;
    // The answer to its configuration was lost.
    if (is_in() && !is_settled() && may_ask())
        return parts_.tasks.add("configuring again", configure());
    if (!place_.founds && !parts_.book.is_open(place_.room)) return;
    knocked_at_ = now;
    send("<presence to='" + place_.address.text() + "/" + place_.nick + "'><x xmlns='" +
             std::string(xmpp::ns::muc) + "'><history maxstanzas='" + std::to_string(history) +
             "'/></x></presence>",
         {});
}

void RoomClient::leave() {
    send("<presence type='unavailable' to='" + place_.address.text() + "/" + place_.nick + "'/>",
         {});
}

void RoomClient::say_as(bool subject) {
    if (outgoing_.size() >= kUnderWayMax || (!online() && !counts_)) return;
    if (!parts_.book.is_open(place_.room)) return;  // It would be archived nowhere.
    const std::string element = subject ? "subject" : "body";
    const RoomBook::Word word = parts_.book.say(place_.number, place_.room);
    const std::string text = RoomBook::text_of(word);
    send("<message to='" + place_.address.text() + "' type='groupchat' id='" + text + "'><" +
             element + ">" + text + "</" + element + "></message>",
         word);
}

reactor::Deferred<xmpp::Stanza> RoomClient::ask(xmpp::Stanza iq) {
    ++open_requests_;
    if (counts_) outgoing_.emplace_back();
    auto asking = client_->request(std::move(iq), kAnswerTimeout);
    base::Result<xmpp::Stanza> answer = co_await std::move(asking).as_result();
    --open_requests_;
    co_return answer;
}

void RoomClient::ping_self() {
    if (online() && is_in()) parts_.tasks.add("pinging itself", ask_whether_in());
}

reactor::Deferred<void> RoomClient::ask_whether_in() {
    const auto own = place_.address.with_resource(place_.nick);
    if (!own) co_return own.error();
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
    iq.set_to(*own).edit().add_child("ping", xmpp::ns::ping);
    auto asking = ask(std::move(iq));
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    if (answer) co_return {};
    if (bots::stanza_condition(answer.error()) == xmpp::StanzaCondition::not_acceptable)
        end_visit();
    co_return {};
}

// --- what it is told

void RoomClient::on_not_resumed(bots::Client&, std::optional<std::uint32_t> taken) {
    if (!taken) parts_.complain(place_.nick + " is not told what of its session was taken");
    for (std::uint32_t i = 0; i < taken.value_or(0) && !outgoing_.empty(); ++i) {
        if (outgoing_.front()) parts_.book.acknowledged(*outgoing_.front());
        outgoing_.pop_front();
    }
    told_twice_ = taken.value_or(0);
    continues_ = true;
}

void RoomClient::on_online(bots::Client& client, bool resumed) {
    (resumed ? resumed_ : logins_) += 1;
    if (resumed) return came_online(true);
    counts_ = client.stream_management();
    // The client sends messages again that the server did not take, and forgets the rest; all of
    // it when it closed its session itself, whether the server heard of that or not.
    const bool continues = std::exchange(continues_, false) && counts_;
    std::erase_if(outgoing_, [&](const auto& word) { return !continues || !word.has_value(); });
    for (const auto& word : outgoing_)
        parts_.book.sent_again(*word);
    parts_.book.session_lost(place_.number);
    parts_.book.comes_anew(place_.number);
    end_visit();
    came_online(false);
    enter();
}

void RoomClient::on_offline(bots::Client&, const base::Failure&) {
    if (!counts_) end_visit();
    went_offline();
}

void RoomClient::on_acknowledged(bots::Client&, std::uint32_t stanzas) {
    if (std::exchange(told_twice_, 0) > 0) return;
    for (; stanzas > 0 && !outgoing_.empty(); --stanzas) {
        if (outgoing_.front()) parts_.book.acknowledged(*outgoing_.front());
        outgoing_.pop_front();
    }
}

std::optional<xmpp::Stanza> RoomClient::on_request(bots::Client& client, const xmpp::Stanza& iq) {
    auto reply = bots::ClientObserver::on_request(client, iq);
    if (reply && counts_) outgoing_.emplace_back();
    return reply;
}

void RoomClient::on_presence(bots::Client&, xmpp::Stanza presence) {
    // An error: it knocks again.
    if (!presence.from() || !presence.from()->same_bare(place_.address) || presence.is_error())
        return;
    const std::string nick(presence.from()->resource());
    const bool is_own = has_status(presence, "110");
    if (presence.presence_type() == xmpp::PresenceType::unavailable) {
        occupants_.erase(nick);
        if (is_own) end_visit();
        return;
    }
    occupants_.insert(nick);
    if (!is_own) return;
    parts_.book.enters(place_.number, place_.room);
    entered_ = true;
    if (parts_.book.is_open(place_.room)) {
        if (has_status(presence, "201"))
            parts_.complain(place_.nick + " makes a room that was there");
    } else if (may_ask()) {
        parts_.tasks.add("configuring", configure());
    }
}

void RoomClient::on_message(bots::Client&, xmpp::Stanza message) {
    RoomBook::Word word;
    if (const auto result = xmpp::parse_mam_result(message)) {
        const bool is_subject = !result->stanza.has_body();
        if (!reading_ || !RoomBook::parse(text_of(result->stanza), word)) return;
        archive_.push_back({word, result->id, is_subject});
        if (is_subject) archived_subject_ = word;
        return;
    }
    if (message.is_error()) {
        if (RoomBook::parse(message.id(), word)) parts_.book.refused(word);
    } else if (message.message_type() == xmpp::MessageType::groupchat) {
        hear(message);
    }
}

void RoomClient::hear(const xmpp::Stanza& message) {
    RoomBook::Word word;
    const bool is_word = RoomBook::parse(text_of(message), word);
    const bool is_subject = message.child("subject", xmpp::ns::client) != nullptr;
    if (is_subject) subject_ = is_word ? std::optional(word) : std::nullopt;
    // What one is told on entering.
    const bool is_past = is_delayed_by(message.element(), place_.address);
    if (!is_word || (is_subject && is_past)) return;
    if (message.id() != RoomBook::text_of(word))
        parts_.complain(place_.nick + " is sent a message that has lost its id");
    const std::string id = id_by(message.element(), place_.address);
    const bool is_first = std::exchange(entered_, false);
    if (is_past) {
        parts_.book.shown(place_.number, word, id, is_first);
    } else {
        parts_.book.hears(place_.number, word, id);
    }
}

// --- in the end

reactor::Deferred<void> RoomClient::read_archive() {
    reading_ = true;
    archive_.clear();
    archived_subject_.reset();
    std::optional<std::string> position;
    for (bool complete = false; !complete;) {
        xmpp::MamQuery query;
        query.page.max = kPageMessages;
        query.page.after = position;
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
        iq.set_to(place_.address).edit().add(query.to_element());
        auto asking = ask(std::move(iq));
        const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
        if (!answer) co_return answer.error();
        if (answer->payload() == nullptr) co_return base::fail(base::Errc::corrupt, "no <fin/>");
        const auto fin = xmpp::MamFin::parse(*answer->payload());
        if (!fin) co_return fin.error();
        complete = fin->complete;
        if (!complete && !fin->set.last) co_return base::fail(base::Errc::corrupt, "no last id");
        position = fin->set.last;
    }
    const bool is_said = !archived_subject_ || !parts_.book.may_be_refused(*archived_subject_);
    if (subject_ != archived_subject_ && is_said)
        parts_.complain(place_.nick + " is told the subject " +
                        (subject_ ? RoomBook::text_of(*subject_) : "none") + ", the archive has " +
                        (archived_subject_ ? RoomBook::text_of(*archived_subject_) : "none"));
    parts_.book.archive_of(place_.room, std::move(archive_));
    co_return {};
}

}  // namespace test

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
constexpr std::string_view kAffiliations[] = {"owner", "admin", "member", "outcast"};

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
    counts_ = false;
    client_.reset();
    client_ = std::make_unique<bots::Client>(parts_.shared, options_,
                                             static_cast<bots::ClientObserver&>(*this));
}

bool RoomClient::at_rest() const {
    return online() && is_in() && open_requests_ == 0 &&
           std::ranges::none_of(outgoing_, [](const auto& word) { return word.has_value(); });
}

std::string RoomClient::unrest() const {
    return place_.nick + ": " + (online() ? "online" : "offline") + ", " +
           (is_in() ? "inside" : "outside") + ", " + std::to_string(open_requests_) +
           " requests open, " + std::to_string(outgoing_.size()) + " stanzas unacknowledged";
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

void RoomClient::enter() {
    const base::MonotonicTime now = client_->world().reactor.now();
    if (!online() || now - knocked_at_ < kKnockInterval) return;
    if (!place_.founds && !parts_.book.is_open(place_.room)) return;
    knocked_at_ = now;
    send("<presence to='" + place_.address.text() + "/" + place_.nick + "'><x xmlns='" +
             std::string(xmpp::ns::muc) + "'><history maxstanzas='0'/></x></presence>",
         {});
}

void RoomClient::leave() {
    send("<presence type='unavailable' to='" + place_.address.text() + "/" + place_.nick + "'/>",
         {});
}

void RoomClient::say() {
    if (outgoing_.size() >= kUnderWayMax || (!online() && !counts_)) return;
    const RoomBook::Word word = parts_.book.say(place_.number, place_.room);
    const std::string text = RoomBook::text_of(word);
    send("<message to='" + place_.address.text() + "' type='groupchat' id='" + text + "'><body>" +
             text + "</body></message>",
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

void RoomClient::set_affiliation(const std::string& user, std::string_view affiliation,
                                 const Answered& answered) {
    if (!online() || open_requests_ > 0) return;
    affiliations_[user].insert(std::string(affiliation));
    parts_.tasks.add("affiliation", change(user, std::string(affiliation), answered));
}

reactor::Deferred<void> RoomClient::change(std::string user, std::string affiliation,
                                           Answered answered) {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
    iq.set_to(place_.address)
        .edit()
        .add_child("query", xmpp::ns::muc_admin)
        .add_child("item", xmpp::ns::muc_admin)
        .set_attribute("jid", user)
        .set_attribute("affiliation", affiliation);
    auto asking = ask(std::move(iq));
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    if (answer) {
        affiliations_[user] = {affiliation};
        answered_.insert(user);
        ++changes_;
    }
    if (answered) answered(answer.has_value());
    co_return {};
}

reactor::Deferred<void> RoomClient::configure() {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
    xmpp::Element& form = iq.set_to(place_.address)
                              .edit()
                              .add_child("query", xmpp::ns::muc_owner)
                              .add_child("x", xmpp::ns::data_forms)
                              .set_attribute("type", "submit");
    const auto add = [&](std::string_view name, std::string_view value) {
        form.add_child("field", xmpp::ns::data_forms)
            .set_attribute("var", name)
            .add_text_child("value", value);
    };
    add("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig");
    for (const auto& [name, value] : place_.config)
        add(name, value);
    auto asking = ask(std::move(iq));
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    // Nobody else gets in before that.
    if (answer) {
        parts_.book.open(place_.room);
    } else if (online()) {
        leave();
    }
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
}

void RoomClient::on_online(bots::Client& client, bool resumed) {
    (resumed ? resumed_ : logins_) += 1;
    if (resumed) return came_online(true);
    counts_ = client.stream_management();
    // The client sends messages again that the server did not take, and forgets the rest.
    std::erase_if(outgoing_, [](const auto& word) { return !word.has_value(); });
    if (!counts_) outgoing_.clear();
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
    saw(iq);
    auto reply = bots::ClientObserver::on_request(client, iq);
    if (reply && counts_) outgoing_.emplace_back();
    return reply;
}

void RoomClient::on_presence(bots::Client&, xmpp::Stanza presence) {
    saw(presence);
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
    if (has_status(presence, "201")) {
        parts_.tasks.add("configuring", configure());
    } else {
        parts_.book.open(place_.room);
    }
}

void RoomClient::on_message(bots::Client&, xmpp::Stanza message) {
    saw(message);
    RoomBook::Word word;
    if (const auto result = xmpp::parse_mam_result(message)) {
        if (reading_ && RoomBook::parse(result->stanza.body_text(), word))
            archive_.push_back({word, result->id});
        return;
    }
    if (message.is_error()) {
        if (RoomBook::parse(message.id(), word)) parts_.book.refused(word);
        return;
    }
    if (message.message_type() != xmpp::MessageType::groupchat ||
        !RoomBook::parse(message.body_text(), word))
        return;
    if (message.id() != RoomBook::text_of(word))
        parts_.complain(place_.nick + " is sent a message that has lost its id");
    parts_.book.hears(place_.number, word, id_by(message.element(), place_.address));
}

// --- in the end

reactor::Deferred<void> RoomClient::read_archive() {
    reading_ = true;
    archive_.clear();
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
    parts_.book.archive_of(place_.room, std::move(archive_));
    co_return {};
}

reactor::Deferred<void> RoomClient::compare_affiliations() {
    std::map<std::string, std::string> found;
    for (const std::string_view affiliation : kAffiliations) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
        iq.set_to(place_.address)
            .edit()
            .add_child("query", xmpp::ns::muc_admin)
            .add_child("item", xmpp::ns::muc_admin)
            .set_attribute("affiliation", affiliation);
        auto asking = ask(std::move(iq));
        const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
        if (!answer) co_return answer.error();
        if (const xmpp::Element* query = answer->child("query", xmpp::ns::muc_admin))
            for (const xmpp::Element& item : query->children())
                found[std::string(item.attribute("jid"))] = affiliation;
    }
    for (const auto& [user, possible] : affiliations_) {
        const auto entry = found.find(user);
        const std::string is = entry == found.end() ? "none" : entry->second;
        // Asked for and never answered for the first time: it may be as it was.
        const bool fits = possible.contains(is) || (is == "none" && !answered_.contains(user));
        if (!fits)
            parts_.complain(user + " is " + is + " in " + place_.address.text() +
                            ", which is not what was answered");
    }
    co_return {};
}

}  // namespace test

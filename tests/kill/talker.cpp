#include "tests/kill/talker.h"

#include "reactor/reactor.h"
#include "xmpp/payloads/mam.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace talkers {
namespace {

using namespace std::chrono_literals;

/// Messages of one talker that the server has not acknowledged: more would only be kept here.
constexpr std::uint32_t kUnderWayMax = 200;
constexpr base::Duration kAwake = 700ms;
constexpr base::Duration kAsleep = 1200ms;
constexpr base::Duration kLate = 8s;

xmpp::Jid address(int number, const std::string& ending) {
    return *xmpp::Jid::parse("talker" + std::to_string(number) + "@localhost" + ending);
}

bots::ClientOptions options_for(int number, const std::string& resource, std::uint16_t port) {
    bots::ClientOptions options;
    options.jid = address(number, "/" + resource);
    options.password = "correct horse battery";
    options.addresses.push_back({"127.0.0.1", port});
    return options;
}

}  // namespace

// --- a client

Device::Device(const Parts& parts, bots::ClientOptions options, Login login, bool is_alone)
    : parts_(parts),
      login_(login),
      is_alone_(is_alone),
      client_(parts.shared, std::move(options), *this),
      audit_("audit", parts.books) {}

void Device::talk(const xmpp::Jid& peer) {
    if (!client_.online() || under_way_ >= kUnderWayMax) return;
    xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
    message.set_to(peer).set_id(std::to_string(sent_ + 1));
    message.edit().add_text_child("body", "message " + std::to_string(sent_ + 1));
    if (!client_.send(message)) return;
    ++sent_;
    ++under_way_;
    ++parts_.books.sent;
}

void Device::on_online(bots::Client& client, bool resumed) {
    (resumed ? parts_.books.resumed : parts_.books.logins) += 1;
    if (resumed) return;
    under_way_ = 0;
    if (login_ == Login::reading_the_archive) {
        parts_.tasks.add("reading the archive", read_archive());
    } else {
        client.send_presence();
    }
}

reactor::Deferred<void> Device::read_archive() {
    auto reading = audit_.read(client_);
    const base::Result<void> read = co_await std::move(reading);
    // Otherwise the connection is gone, and the next login reads on.
    if (read) client_.send_presence();
    co_return {};
}

void Device::on_acknowledged(bots::Client&, std::uint32_t stanzas) {
    under_way_ -= std::min(under_way_, stanzas);
}

void Device::on_message(bots::Client&, xmpp::Stanza message) {
    if (audit_.take(client_, message)) {
        if (login_ == Login::reading_the_archive)
            received_ = std::max(received_, audit_.incoming());
        skipped_.erase(skipped_.begin(), skipped_.upper_bound(audit_.incoming()));
        return;
    }
    if (message.is_error()) {
        ++parts_.books.refused;
        return complain("was refused", message);
    }
    take(message);
}

void Device::take(const xmpp::Stanza& message) {
    const std::uint64_t number = number_of(message);
    if (skipped_.erase(number) > 0) {
        ++parts_.books.came_late;
        return;
    }
    if (number <= received_ && !is_alone_) {
        ++parts_.books.got_for_another;
        return complain("was had by another and came again", message);
    }
    if (number <= received_) {
        ++parts_.books.duplicated;
        return complain("came again", message);
    }
    // The other client of the account may have had one that was under way at a crash.
    for (std::uint64_t missing = received_ + 1; missing < number && !is_alone_; ++missing)
        skipped_.insert(missing);
    if (number != received_ + 1 && is_alone_) {
        ++parts_.books.reordered;
        complain("came", message);
    }
    received_ = number;
    ++parts_.books.received;
}

void Device::complain(std::string_view what, const xmpp::Stanza& message) const {
    fmt::print(stderr, "{}: {} {} behind {}: {}\n", client_.jid().text(), number_of(message), what,
               received_, message.to_xml());
}

// --- an account

Talker::Talker(const Device::Parts& parts, Habit habit, int number, std::uint16_t port)
    : parts_(parts),
      habit_(habit),
      comes_late_(habit == Habit::comes_late && number % 2 == 1),
      peer_(address(number ^ 1, "")),
      phone_(std::make_unique<Device>(parts, options_for(number, "phone", port),
                                      habit == Habit::reads_archive
                                          ? Device::Login::reading_the_archive
                                          : Device::Login::plainly,
                                      habit != Habit::two_devices)) {
    if (habit == Habit::two_devices)
        laptop_ = std::make_unique<Device>(parts, options_for(number, "laptop", port),
                                           Device::Login::reading_the_archive, false);
}

void Talker::begin() {
    parts_.tasks.add("living", live());
    if (laptop_ != nullptr) parts_.tasks.add("staying online", stay_online(*laptop_));
}

reactor::Deferred<void> Talker::live() {
    reactor::Reactor& reactor = phone_->client().world().reactor;
    if (comes_late_) {
        auto waiting = reactor::sleep(reactor, kLate);
        static_cast<void>(co_await std::move(waiting));
    }
    while (habit_ == Habit::sleeps && restless_) {
        auto connecting = phone_->client().connect();
        static_cast<void>(co_await std::move(connecting));
        auto waking = reactor::sleep(reactor, kAwake);
        static_cast<void>(co_await std::move(waking));
        phone_->client().cut();
        if (!restless_) break;
        auto sleeping = reactor::sleep(reactor, kAsleep);
        static_cast<void>(co_await std::move(sleeping));
    }
    auto staying = stay_online(*phone_);
    static_cast<void>(co_await std::move(staying));
    co_return {};
}

reactor::Deferred<void> Talker::stay_online(Device& device) {
    return device.client().stay_online({.initial = 20ms, .max = 300ms, .attempts_max = 1'000'000});
}

bool Talker::has_all_of(const Talker& peer) const {
    std::uint64_t received = phone_->received();
    if (laptop_ != nullptr) received = std::max(received, laptop_->received());
    return received == peer.phone_->sent();
}

void Talker::conclude(const Talker& peer) {
    const std::uint64_t sent = peer.phone_->sent();
    const ArchiveReader& archive = phone_->archive();
    if (!has_all_of(peer)) {
        fmt::print(stderr, "{}: has {} of {}\n", phone_->client().jid().text(), phone_->received(),
                   sent);
        parts_.books.lost += sent - phone_->received();
    }
    if (archive.incoming() != sent || archive.outgoing() != phone_->sent()) {
        fmt::print(stderr, "{}: archive has {} of {}, of its own {} of {}\n",
                   phone_->client().jid().text(), archive.incoming(), sent, archive.outgoing(),
                   phone_->sent());
        ++parts_.books.archive_faults;
    }
}

}  // namespace talkers

#include "tests/kill/archive_reader.h"

#include "xmpp/payloads/mam.h"

#include <fmt/format.h>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

namespace talkers {
namespace {

constexpr std::uint32_t kPageMessages = 100;

}  // namespace

std::uint64_t number_of(const xmpp::Stanza& message) {
    const std::string_view id = message.id();
    std::uint64_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return number;
}

reactor::Deferred<void> ArchiveReader::read(bots::Client& client) {
    for (;;) {
        xmpp::MamQuery query;
        query.query_id = query_id_;
        query.page.max = kPageMessages;
        if (!position_.empty()) query.page.after = position_;
        xmpp::Stanza request = xmpp::Stanza::iq(xmpp::IqType::set, "");
        request.edit().add(query.to_element());
        auto asking = client.request(std::move(request));
        const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
        if (!answer) co_return answer.error();
        const xmpp::Element* payload = answer->payload();
        if (payload == nullptr) co_return base::fail(base::Errc::corrupt, "no <fin/>");
        const auto fin = xmpp::MamFin::parse(*payload);
        if (!fin) co_return fin.error();
        if (fin->complete) co_return {};
    }
}

bool ArchiveReader::take(const bots::Client& client, const xmpp::Stanza& message) {
    auto result = xmpp::parse_mam_result(message);
    if (!result || result->query_id != query_id_) return false;
    position_ = result->id;
    ++books_.archived;
    const bool own = result->stanza.from() && result->stanza.from()->same_bare(client.jid());
    std::uint64_t& last = own ? outgoing_ : incoming_;
    const std::uint64_t number = number_of(result->stanza);
    if (number != last + 1) {
        ++books_.archive_faults;
        fmt::print(stderr, "{}: archive has {} {} behind {}\n", client.jid().text(),
                   own ? "own" : "the peer's", number, last);
    }
    last = number;
    return true;
}

}  // namespace talkers

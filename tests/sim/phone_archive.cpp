// Phone: the archive of its account (XEP-0313), what it missed and all there is.
#include "reactor/reactor.h"
#include "tests/sim/crowd.h"
#include "tests/sim/phone.h"
#include "xmpp/core/namespaces.h"

#include <chrono>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRsm = "http://jabber.org/protocol/rsm";
constexpr std::string_view kPageMax = "40";
constexpr base::Duration kPageTimeout = 60s;

xmpp::Element query_after(const std::string& id) {
    xmpp::Element query("query", xmpp::ns::archive);
    xmpp::Element& set = query.add(xmpp::Element("set", kRsm));
    set.add_text_child("max", kPageMax);
    if (!id.empty()) set.add_text_child("after", id);
    return query;
}

}  // namespace

void Phone::see_archived(const xmpp::Element& result) {
    const xmpp::Element* forwarded = result.child("forwarded", xmpp::ns::forward);
    const xmpp::Element* message =
        forwarded == nullptr ? nullptr : forwarded->child("message", xmpp::ns::client);
    if (message == nullptr)
        return crowd_.messages().violation(name_ +
                                           " got a result of the archive with nothing in it");
    const auto key = read_key(*message);
    if (!key) return;
    if (archive_) {
        archive_->push_back(*key);
    } else if (key->to == account_) {
        crowd_.messages().arrived(*key, number_, Way::archive, false);
    }
}

void Phone::sync_archive(base::UniqueFunction<void()> done) {
    tasks_.add("archive", fetch_pages(std::move(done)));
}

reactor::Deferred<void> Phone::fetch_pages(base::UniqueFunction<void()> done) {
    ++open_requests_;
    for (bool more = true; more && online();) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, {});
        iq.edit().add(query_after(archived_through_));
        if (counts_) outgoing_.push_back({});
        auto asking = client_->request(std::move(iq), kPageTimeout);
        const base::Result<xmpp::Stanza> answer = co_await std::move(asking).as_result();
        const xmpp::Element* fin = answer ? answer->child("fin", xmpp::ns::archive) : nullptr;
        const xmpp::Element* set = fin == nullptr ? nullptr : fin->child("set", kRsm);
        more = set != nullptr && fin->attribute("complete") != "true";
        if (set != nullptr && set->child("last") != nullptr)
            archived_through_ = set->child_text("last");
        if (!answer) note("the archive does not answer: " + answer.error().message());
    }
    --open_requests_;
    done();
    co_return {};
}

void Phone::look_at_archive() {
    if (!online() || archive_) return;
    archive_.emplace();
    archived_through_.clear();
    sync_archive(
        [this] { crowd_.messages().archive_of(number_, *std::exchange(archive_, std::nullopt)); });
}

}  // namespace sim

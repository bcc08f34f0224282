#include "server/modules/archive_plan.h"

#include "server/routing/roster_edits.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace server::modules {
namespace {

using storage::ArchiveQuery;
using xmpp::StanzaError;

// A message's time is what its <delay/> says, to the millisecond: clients ask with that.
constexpr std::int64_t kStampMicroseconds = 1000;

base::WallTime first_stamp_from(base::WallTime start) {
    const std::int64_t rest = start.microseconds % kStampMicroseconds;
    return rest <= 0 ? base::WallTime{start.microseconds - rest}
                     : base::WallTime{start.microseconds - rest + kStampMicroseconds};
}

base::WallTime end_of_stamp(base::WallTime end) {
    std::int64_t rest = end.microseconds % kStampMicroseconds;
    if (rest < 0) rest += kStampMicroseconds;
    return {end.microseconds - rest + kStampMicroseconds - 1};
}

bool has_filter(const ArchiveQuery& query) {
    return query.with || query.start || query.end || query.after_id || query.before_id ||
           query.ids || !query.groupchat;
}

StanzaError unknown_message() {
    return StanzaError::item_not_found("the archive has no such message");
}

}  // namespace

base::Result<ArchiveQuery, StanzaError> plan_archive_query(const xmpp::MamQuery& query,
                                                           const ArchiveIds& ids,
                                                           const ArchivePageLimits& limits) {
    bool known = true;
    const auto id_of = [&](const std::string& text) {
        const auto id = ids.parse(text);
        if (!id) known = false;
        return id;
    };
    ArchiveQuery planned;
    planned.with = query.with;
    if (query.start) planned.start = first_stamp_from(*query.start);
    if (query.end) planned.end = end_of_stamp(*query.end);
    if (query.after_id) planned.after_id = id_of(*query.after_id);
    if (query.before_id) planned.before_id = id_of(*query.before_id);
    if (query.ids) {
        planned.ids.emplace();
        for (const std::string& text : *query.ids)
            planned.ids->push_back(id_of(text).value_or(0));
    }
    planned.groupchat = query.include_groupchat.value_or(true);

    const xmpp::RsmRequest& page = query.page;
    // Positions would have to be counted from the start (XEP-0059 §2.6).
    if (page.index.value_or(0) != 0)
        return std::unexpected(StanzaError::feature_not_implemented("pages are asked for by id"));
    planned.last_page = page.before && page.before->empty();
    if (page.after) planned.after = id_of(*page.after);
    if (page.before && !page.before->empty()) planned.before = id_of(*page.before);
    // Both: the range between them, which the form has fields for (XEP-0313 §4.3.2).
    if (page.after && page.before) {
        auto& limit = planned.last_page ? planned.after_id : planned.before_id;
        if (limit)
            return std::unexpected(StanzaError::bad_request("use the form's ids for a range"));
        limit = std::exchange(planned.last_page ? planned.after : planned.before, std::nullopt);
    }
    if (!known) return std::unexpected(unknown_message());
    planned.bytes_max = limits.bytes_max;
    planned.max = std::min(page.max.value_or(limits.messages_default), limits.messages_max);
    // Counting what a filter lets through is done once, not with every page.
    planned.want_count = planned.max == 0 || !has_filter(planned) || !(page.after || page.before);
    return planned;
}

bool pages_backwards(const ArchiveQuery& query) {
    return query.before.has_value() || query.last_page;
}

StanzaError refusal_of_archive_query(const base::Failure& why) {
    if (why.is(base::Errc::not_found)) return unknown_message();
    if (why.is(base::Errc::resource_exhausted))
        return {xmpp::ErrorType::modify, xmpp::StanzaCondition::policy_violation,
                std::string(why.detail())};
    return refusal_of(why);
}

}  // namespace server::modules

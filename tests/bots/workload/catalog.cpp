#include "tests/bots/workload/catalog.h"

#include <algorithm>
#include <array>

namespace bots {

bool Workload::in_ramp(BotNumber) const {
    return true;
}

std::uint32_t Workload::preparation_steps() const {
    return 0;
}

reactor::Deferred<void> Workload::prepare(std::uint32_t) {
    return reactor::ready();
}

reactor::Deferred<void> Workload::come_back() {
    return reactor::ready();
}

void Workload::on_online(BotNumber, bool) {}

void Workload::on_arrival(const MessageStamp&, Ledger::Arrival) {}

void Workload::on_refused(const MessageStamp&) {}

void Workload::on_answer(BotNumber, bool) {}

void Workload::on_presence(BotNumber, const xmpp::Stanza&) {}

std::optional<xmpp::Stanza> Workload::on_request(BotNumber, const xmpp::Stanza&) {
    return std::nullopt;
}

std::span<const WorkloadSpec> workload_catalog() {
    static const std::array<WorkloadSpec, 10> catalog{
        describe_idle(),     describe_login(),   describe_resume(), describe_chat(),
        describe_presence(), describe_offline(), describe_churn(),  describe_iq(),
        describe_mixed(),    describe_muc()};
    return catalog;
}

const WorkloadSpec* find_workload(std::string_view name) {
    const auto catalog = workload_catalog();
    const auto found = std::ranges::find(catalog, name, &WorkloadSpec::name);
    return found == catalog.end() ? nullptr : &*found;
}

}  // namespace bots

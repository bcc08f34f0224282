#include "server/modules/catalog.h"

#include "reactor/base/check.h"

#include <fmt/format.h>
#include <algorithm>

namespace server::modules {
namespace {

struct RfcReference {
    int number;
    std::string_view title;
};

constexpr RfcReference kRfcs[] = {
    {6120, "XMPP: Core"},
    {6121, "XMPP: Instant Messaging and Presence"},
    {7622, "XMPP: Address Format"},
    {7590, "Use of TLS in XMPP"},
    {4422, "SASL"},
    {5802, "SCRAM-SHA-1(-PLUS)"},
    {7677, "SCRAM-SHA-256(-PLUS)"},
    {9266, "Channel bindings for TLS 1.3"},
    {5929, "Channel bindings for TLS"},
    {4616, "SASL PLAIN"},
    {4505, "SASL ANONYMOUS"},
    {8265, "PRECIS: user names and passwords"},
    {5891, "IDNA2008"},
};

// What the sessions themselves do, outside any module.
constexpr XepReference kCoreXeps[] = {
    {4, "2.13.2", "Data Forms"},
    {59, "1.0", "Result Set Management"},
    {82, "1.1.1", "XMPP Date and Time Profiles"},
    {178, "1.2", "Best Practices for Use of SASL EXTERNAL with Certificates (c2s)"},
    {198, "1.6.3", "Stream Management"},
    {368, "1.1.0", "SRV records for XMPP over TLS (direct TLS)"},
    {440, "1.0.0", "SASL Channel-Binding Type Capability"},
    {478, "0.2.0", "Stream Limits Advertisement"},
};

}  // namespace

std::vector<ModuleDescriptor> catalog() {
    std::vector<ModuleDescriptor> all = {
        describe_roster(),       describe_blocking(),
        describe_disco(),        describe_caps(),
        describe_ping(),         describe_version(),
        describe_time(),         describe_last_activity(),
        describe_vcard(),        describe_private_storage(),
        describe_stanza_ids(),   describe_carbons(),
        describe_client_state(), describe_offline(),
        describe_archive(),      describe_retraction(),
        describe_registration(), describe_contact_addresses(),
        describe_muc(),
    };
    for (auto module = all.begin(); module != all.end(); ++module) {
        for (const std::string_view needed : module->needs)
            CHECK(std::ranges::find(all.begin(), module, needed, &ModuleDescriptor::name) !=
                  module);
    }
    return all;
}

std::vector<std::string> xep_table(const std::vector<ModuleDescriptor>& catalog) {
    struct Row {
        XepReference xep;
        std::string_view where;
    };
    std::vector<Row> rows;
    for (const XepReference& xep : kCoreXeps)
        rows.push_back({xep, "core"});
    for (const ModuleDescriptor& module : catalog)
        for (const XepReference& xep : module.xeps)
            rows.push_back({xep, module.name});
    std::ranges::sort(rows, {}, [](const Row& row) { return row.xep.number; });
    std::vector<std::string> lines = {"| Specification | Title | Version | Where |",
                                      "|---|---|---|---|"};
    for (const RfcReference& rfc : kRfcs)
        lines.push_back(fmt::format("| RFC {} | {} | | core |", rfc.number, rfc.title));
    for (const Row& row : rows)
        lines.push_back(fmt::format("| XEP-{:04} | {} | {} | {} |", row.xep.number, row.xep.title,
                                    row.xep.version, row.where));
    return lines;
}

}  // namespace server::modules

// Plan: everything about a run that is fixed before it starts. Immutable: all shards read it.
#pragma once

#include "reactor/stream.h"
#include "tests/bots/client/client.h"
#include "tests/bots/run/alarm.h"
#include "tests/bots/run/names.h"
#include "tests/bots/workload/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bots {

struct Plan {
    Plan(Settings its_settings, NamePattern its_names)
        : settings(std::move(its_settings)), names(std::move(its_names)) {}

    Settings settings;
    NamePattern names;
    std::string password;
    BotNumber users = 0;
    std::uint32_t run_id = 0;  ///< Of the ledgers.
    std::uint64_t seed = 1;    ///< Of what the bots do by chance.

    std::string server_name;                   ///< As the user wrote it, with the port.
    std::vector<reactor::Endpoint> addresses;  ///< Of the server; at least one.
    /// Source addresses to share the connections among, in order; empty: the system chooses.
    std::vector<std::string> sources;
    BotNumber connections_per_source = 20'000;
    ClientSecurity security = ClientSecurity::starttls;
    std::shared_ptr<const reactor::TlsClientContext> tls;  ///< Null without TLS.
    /// Tried first; empty: whatever is strongest.
    std::string mechanism;
    bool stream_management = true;  ///< Where the server has it.
    bool tls_tickets = true;        ///< Reconnects resume TLS, where the server lets them.

    BotNumber logins_at_once = 50;
    BotNumber logins_per_s = 0;  ///< 0: no pace but that.
    base::Duration drain{};      ///< Grace for what is under way at the end.
    MakeAlarm make_alarm = make_wheel_alarm;
};

/// The shard of a bot. Pairs (2n, 2n + 1) share one.
inline std::uint32_t shard_of(BotNumber bot, std::uint32_t shards) {
    return bot / 2 % shards;
}

/// Its place among the bots of its shard, from 0.
inline std::size_t place_on_shard(BotNumber bot, std::uint32_t shards) {
    return std::size_t{bot / 2 / shards} * 2 + bot % 2;
}

/// The other one of its pair; may be one past the last user.
inline BotNumber partner_of(BotNumber bot) {
    return bot ^ 1U;
}

}  // namespace bots

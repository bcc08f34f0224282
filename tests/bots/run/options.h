// RunOptions: what the command line says about a run.
#pragma once

#include "tests/bots/accounts/accounts.h"
#include "tests/bots/workload/settings.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bots {

/// Of accounts on a server that only this machine reaches. Elsewhere one must be chosen.
inline constexpr std::string_view kLocalPassword = "parley-bots";

struct RunOptions {
    std::string server = "localhost";
    std::string domain;  ///< Empty: the server's name.
    ClientSecurity security = ClientSecurity::starttls;
    std::string ca_file;
    bool insecure = false;
    std::string mechanism;  ///< Empty: a cheap one, if the server has it.
    bool stream_management = true;
    bool tls_tickets = true;
    std::string user_pattern = "bot{n}";
    std::string password;  ///< Empty: kLocalPassword, on this machine.
    AccountSource accounts = AccountSource::automatic;
    std::string account_command;
    std::string socket;       ///< Of parleyctl; empty: where it is likely to be.
    std::uint32_t cores = 0;  ///< 0: all.
    std::uint64_t seed = 1;
    std::vector<int> pids;
    std::string json_file;  ///< Both empty: names with the workload and the time.
    std::string html_file;
    bool quiet = false;
};

}  // namespace bots

target_sources(server_core PRIVATE
    accounts/account.cpp accounts/accounts.cpp accounts/archive_rules.cpp accounts/blocklist.cpp
    accounts/roster.cpp
    accounts/subscription_table.cpp)

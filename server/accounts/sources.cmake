target_sources(server_core PRIVATE
    accounts/account.cpp accounts/account_load.cpp accounts/accounts.cpp accounts/roster.cpp
    accounts/subscription_table.cpp)

# A binary of its own: these tests run a whole server on simulated networks.
parley_test(server_app_test LIBS test_support SOURCES app/idle_account_test.cpp app/ticket_secrets_test.cpp)

target_sources(server_test PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/roster_test.cpp)
target_link_libraries(server_test PRIVATE server_modules)

# A binary of its own: these tests run a whole server on simulated networks.
parley_test(server_modules_test
    LIBS test_support
    SOURCES modules/archive_test.cpp modules/blocking_test.cpp modules/carbons_test.cpp modules/fairness_test.cpp
        modules/muc_test.cpp
        modules/retraction_test.cpp)

# Rooms without a server.
parley_test(server_muc_test
    LIBS server_muc
    SOURCES modules/muc/affiliations_test.cpp modules/muc/expenses_test.cpp modules/muc/hats_test.cpp modules/muc/history_test.cpp
            modules/muc/privileges_test.cpp modules/muc/room_admin_test.cpp modules/muc/room_approval_test.cpp
            modules/muc/room_config_test.cpp modules/muc/room_crowd_test.cpp
            modules/muc/room_entries_test.cpp modules/muc/room_entry_test.cpp
            modules/muc/room_lockdown_test.cpp
            modules/muc/room_messages_test.cpp modules/muc/room_owner_test.cpp
            modules/muc/room_probe_test.cpp modules/muc/room_roles_test.cpp
            modules/muc/room_stage.cpp)

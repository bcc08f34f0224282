target_sources(server_test PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/archive_rules_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/blocklist_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/roster_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/subscription_table_test.cpp)
target_link_libraries(server_test PRIVATE server_core)

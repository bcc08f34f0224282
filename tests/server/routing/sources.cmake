target_sources(server_test PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/archive_id_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/audience_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/creation_limit_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/outbox_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/presence_harness.cpp
    ${CMAKE_CURRENT_LIST_DIR}/presence_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/roster_xml_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/shares_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/subscription_flow_test.cpp)
target_link_libraries(server_test PRIVATE server_modules reactor_sim)

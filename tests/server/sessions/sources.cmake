# A binary of its own: these tests run a whole server on simulated networks.
parley_test(server_sessions_test
    LIBS server_core reactor_sim reactor storage xmpp
    SOURCES
        routing/durable_delivery_test.cpp
        sessions/acknowledgement_test.cpp
        sessions/bind_test.cpp
        sessions/client_service_test.cpp
        sessions/disabled_test.cpp
        sessions/held_stanzas_test.cpp
        sessions/login_test.cpp
        sessions/move_test.cpp
        sessions/outbound_order_test.cpp
        sessions/parts_test.cpp
        sessions/restore_test.cpp
        sessions/resumable_sessions_test.cpp
        sessions/saved_session_test.cpp
        sessions/session_harness.cpp
        sessions/session_test.cpp
        sessions/stream_management_test.cpp
        sessions/stream_test.cpp
        sessions/suspend_test.cpp
        ${PROJECT_SOURCE_DIR}/tests/support/scripted_client.cpp
        ${PROJECT_SOURCE_DIR}/tests/support/stage.cpp)

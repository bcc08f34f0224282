target_sources(server_core PRIVATE
    routing/address_key.cpp routing/archive_id.cpp routing/audience.cpp
    routing/creation_limit.cpp
    routing/durable_delivery.cpp routing/iq_requests.cpp routing/iq_routes.cpp
    routing/iq_service.cpp routing/local_delivery.cpp routing/offline_queue.cpp
    routing/outbox.cpp routing/presence.cpp
    routing/presence_broadcast.cpp routing/roster_edits.cpp routing/roster_xml.cpp
    routing/router.cpp routing/sent_messages.cpp routing/shares.cpp routing/subscription_flow.cpp routing/user_service.cpp)

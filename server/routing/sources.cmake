target_sources(server_core PRIVATE
    routing/address_key.cpp routing/creation_limit.cpp routing/iq_requests.cpp routing/iq_routes.cpp routing/iq_service.cpp
    routing/local_delivery.cpp routing/outbox.cpp routing/presence.cpp
    routing/presence_broadcast.cpp routing/roster_edits.cpp routing/roster_xml.cpp
    routing/router.cpp routing/subscription_flow.cpp routing/user_service.cpp)

target_sources(server_core PRIVATE
    routing/iq_routes.cpp routing/iq_service.cpp routing/local_delivery.cpp routing/outbox.cpp
    routing/router.cpp routing/user_service.cpp)

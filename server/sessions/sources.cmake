target_sources(server_core PRIVATE
    sessions/address_limits.cpp sessions/bind_negotiation.cpp sessions/client_inbound.cpp
    sessions/client_metrics.cpp sessions/client_outbound.cpp sessions/client_service.cpp
    sessions/client_session.cpp sessions/client_settings.cpp sessions/held_stanzas.cpp
    sessions/idle_parsers.cpp sessions/client_stream_management.cpp sessions/login.cpp
    sessions/negotiation.cpp sessions/netstring.cpp sessions/outbound_order.cpp
    sessions/resumable_sessions.cpp sessions/resume_negotiation.cpp sessions/saved_session.cpp
    sessions/stream_management.cpp sessions/sasl_negotiation.cpp
    sessions/unwritten.cpp sessions/xml_stream.cpp)

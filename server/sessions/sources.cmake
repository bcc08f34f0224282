target_sources(server_core PRIVATE
    sessions/address_limits.cpp sessions/bind_negotiation.cpp sessions/client_inbound.cpp
    sessions/client_metrics.cpp sessions/client_outbound.cpp sessions/client_service.cpp
    sessions/client_session.cpp sessions/client_settings.cpp sessions/held_stanzas.cpp sessions/idle_parsers.cpp
    sessions/login.cpp sessions/negotiation.cpp sessions/sasl_negotiation.cpp
    sessions/unwritten.cpp sessions/xml_stream.cpp)

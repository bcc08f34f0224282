target_sources(server_core PRIVATE
    sessions/idle_parsers.cpp)

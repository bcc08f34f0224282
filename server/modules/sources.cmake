target_sources(server_modules PRIVATE
    modules/catalog.cpp modules/offline.cpp modules/roster.cpp)

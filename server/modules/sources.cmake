target_sources(server_modules PRIVATE
    modules/archive.cpp modules/archive_expiry.cpp modules/archive_queries.cpp
    modules/blocking.cpp modules/caps.cpp modules/carbons.cpp modules/catalog.cpp modules/client_state.cpp modules/contact_addresses.cpp modules/disco.cpp
    modules/disco_directory.cpp modules/last_activity.cpp modules/offline.cpp modules/ping.cpp
    modules/private_storage.cpp modules/registration.cpp modules/retraction.cpp modules/roster.cpp modules/stanza_ids.cpp modules/time.cpp
    modules/vcard.cpp modules/version.cpp)

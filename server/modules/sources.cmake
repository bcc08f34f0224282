target_sources(server_modules PRIVATE
    modules/archive.cpp modules/archive_expiry.cpp modules/archive_plan.cpp modules/archive_queries.cpp
    modules/blocking.cpp modules/caps.cpp modules/carbons.cpp modules/catalog.cpp modules/client_state.cpp modules/contact_addresses.cpp modules/disco.cpp
    modules/disco_directory.cpp modules/last_activity.cpp modules/muc/muc.cpp modules/muc/room_info.cpp
    modules/muc/room_queries.cpp modules/muc/rooms.cpp modules/muc/rooms_history.cpp modules/muc/rooms_making.cpp modules/muc/rooms_operator.cpp modules/muc/rooms_saving.cpp
    modules/muc/rooms_service.cpp modules/muc/service_commands.cpp modules/offline.cpp modules/ping.cpp
    modules/private_storage.cpp modules/registration.cpp modules/retraction.cpp modules/roster.cpp modules/stanza_ids.cpp modules/time.cpp
    modules/vcard.cpp modules/version.cpp)

# Rooms as values, without I/O.
add_library(server_muc STATIC
    modules/muc/affiliations.cpp modules/muc/expenses.cpp modules/muc/hats.cpp modules/muc/history.cpp modules/muc/kept_roles.cpp modules/muc/occupant_ids.cpp
    modules/muc/privileges.cpp modules/muc/registration_requests.cpp modules/muc/room.cpp modules/muc/room_admin.cpp
    modules/muc/room_approval.cpp
    modules/muc/room_commands.cpp modules/muc/room_config.cpp modules/muc/room_departure.cpp modules/muc/room_entries.cpp modules/muc/room_hats.cpp modules/muc/room_invitations.cpp modules/muc/room_iqs.cpp
    modules/muc/room_messages.cpp modules/muc/room_moderation.cpp modules/muc/room_owner.cpp modules/muc/room_presence.cpp
    modules/muc/room_registration.cpp modules/muc/room_roles.cpp modules/muc/room_telling.cpp modules/muc/room_vcard.cpp modules/muc/room_versions.cpp)
target_link_libraries(server_muc PUBLIC build_flags base xmpp)
target_link_libraries(server_modules PUBLIC server_muc)

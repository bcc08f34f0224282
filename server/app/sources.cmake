# The process around the server's layers, as a library so that tests can link it.
add_library(server_app STATIC
    app/admin_service.cpp app/application.cpp app/files.cpp app/identities.cpp
    app/process_limits.cpp app/room_commands.cpp app/server_group.cpp app/shard_server.cpp
    app/ticket_secrets.cpp app/welcome.cpp)
target_link_libraries(server_app PUBLIC server_modules server_admin server_notify PRIVATE fmt::fmt)

add_executable(parleyd main.cpp)
target_link_libraries(parleyd PRIVATE server_app CLI11::CLI11 fmt::fmt)

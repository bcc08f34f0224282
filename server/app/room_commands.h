// The admin commands about chat rooms, for the admin socket (server/admin/admin_command.h).
#pragma once

namespace server {

class AdminCommands;
class RoomOperations;

/// `rooms` must outlive the table.
void add_room_commands(AdminCommands& commands, RoomOperations& rooms);

}  // namespace server

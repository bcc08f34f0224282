// What parleyctl shows a person: results as sentences and tables.
#pragma once

#include <string>
#include <vector>

#include "server/admin/admin_value.h"

namespace server::ctl {

/// Left-aligned columns, two spaces apart; the first row is the heading. Width counts code points.
std::string table(const std::vector<std::vector<std::string>>& rows);

std::string show_users(const AdminValue& result);
std::string show_sessions(const AdminValue& result);
/// Without `all`, what is zero is only counted.
std::string show_stats(const AdminValue& result, bool all);
std::string show_status(const AdminValue& result);
std::string show_rooms(const AdminValue& result);
std::string show_room(const AdminValue& result);
std::string show_changes(const AdminValue& result);

}  // namespace server::ctl

// What must be true when all is over: nobody waits for anything, rosters and presence agree, and
// the server holds nothing any more.
#pragma once

#include "tests/sim/crowd.h"

namespace sim {

/// While everybody is online and at rest, after look_at_rosters().
void check_presence(const Crowd& crowd, MessageLog& messages);
void check_rosters(const Crowd& crowd, MessageLog& messages);
/// When everybody has left.
void check_server(server::test::ServerHarness& harness, MessageLog& messages);

}  // namespace sim

// The command line of parley-bots: what it understands, and the help that teaches it.
#pragma once

namespace bots {

/// Answers the exit code.
int command_line(int argc, const char* const* argv);

}  // namespace bots

// Processes: started, watched, signalled and reaped without SIGCHLD: each child has a pidfd of its
// own, so nobody else's wait is disturbed and no pid is ever mistaken. `exited` (it is dead and
// reaped) and `ended` (and every pipe to it is at its end) are two things, as in Twisted.
#pragma once

#include "reactor/base/result.h"
#include "reactor/deferred.h"
#include "reactor/owned_fd.h"
#include "reactor/stream.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reactor {

/// What the child finds at one of its descriptors.
struct ChildFd {
    enum class Kind : std::uint8_t {
        pipe_in,   ///< The child reads what we write to `Process::stream`.
        pipe_out,  ///< We read what the child writes.
        inherit,   ///< `fd`, which stays ours: one end of a `unix_pair`, a log file.
        null,      ///< /dev/null.
    };
    int child_fd = 0;
    Kind kind = Kind::null;
    int fd = -1;
};

/// Of a terminal, in characters.
struct TerminalSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
};

struct ResourceLimit {
    int resource = 0;  ///< RLIMIT_…
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

struct ProcessSpec {
    /// With a slash: a path. Without: looked for in our $PATH.
    std::string executable = {};
    /// argv; the first is the name the program sees. Empty: {executable}.
    std::vector<std::string> arguments = {};
    /// The whole environment ("NAME=value"); unset: ours. Twisted's default is an empty one.
    std::optional<std::vector<std::string>> environment = {};
    std::string directory = {};  ///< Where it starts; empty: where we are.
    /// Descriptors that are not named are closed. Unset: pipes for 0, 1 and 2.
    std::optional<std::vector<ChildFd>> descriptors = {};
    /// A pseudo-terminal of this size, the child's controlling one, in place of `descriptors`,
    /// which must be unset: its 0, 1 and 2. `stream(0)` is our side, for both directions; it echoes
    /// and edits lines as terminals do until the child says otherwise. Implies own_session.
    std::optional<TerminalSize> terminal = {};
    std::vector<ResourceLimit> limits = {};
    /// A process group of its own, to which `signal_group` and the last kill go.
    bool own_group = true;
    /// When it exits, what is left of its group (what it started and left behind) is killed.
    bool kill_group_at_exit = false;
    bool own_session = false;  ///< setsid(2): no controlling terminal; implies a group.
    std::optional<std::uint32_t> user = {};   ///< Needs privileges, as do
    std::optional<std::uint32_t> group = {};  ///< group and the (then dropped) others.
    /// What destroying the Process does to a child that still runs.
    enum class OnDrop : std::uint8_t { kill, leave } on_drop = OnDrop::kill;
};

struct ExitStatus {
    int code = 0;    ///< Of exit(3); 0 when a signal ended it.
    int signal = 0;  ///< 0 when it exited.
    bool success() const noexcept { return code == 0 && signal == 0; }
    /// "exited with 1", "killed by signal 9"
    std::string to_string() const;
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

struct ProcessEnd {
    ExitStatus status;
    /// Pipes were still open when the grace was over: somebody the child started holds them.
    bool pipes_abandoned = false;
};

/// A child. One shard. Signals of the child's stop (SIGSTOP) are not told.
class Process {
public:
    /// Kills (the group, with SIGKILL) or leaves what still runs, as the spec says; it is reaped in
    /// the background either way.
    virtual ~Process() = default;

    virtual std::int64_t pid() const noexcept = 0;
    /// Our end of a pipe; it belongs to the Process. CHECKs that the spec has one there, not taken.
    virtual ByteStream& stream(int child_fd) = 0;
    /// It leaves the Process, which counts it as ended: whoever takes it watches it.
    virtual std::unique_ptr<ByteStream> take_stream(int child_fd) = 0;

    /// Settles when the child is dead and reaped. Any number of times, also afterwards.
    virtual Deferred<ExitStatus> exited() = 0;
    /// Settles when it has exited and every pipe_out was read to its end or closed. Those that are
    /// open `grace` after the exit are given up (they read as ended): whatever the child started
    /// may hold them for ever. Somebody has to read them meanwhile.
    virtual Deferred<ProcessEnd> ended(base::Duration grace = std::chrono::seconds(5)) = 0;
    virtual const std::optional<ExitStatus>& status() const noexcept = 0;

    /// not_found: it has exited. permission_denied: it runs as somebody else.
    virtual base::Result<void> signal(int number) = 0;
    /// To its whole group; invalid_argument when it has none of its own. Only until it has exited:
    /// afterwards the number may be somebody else's (see kill_group_at_exit).
    virtual base::Result<void> signal_group(int number) = 0;
    /// The child hears SIGWINCH. invalid_argument: it has no terminal, or its stream was taken.
    virtual base::Result<void> set_terminal_size(TerminalSize size) = 0;
};

/// Starts children. One of the World's outside effects: the simulated one is sim/sim_process.h.
class ProcessSpawner {
public:
    virtual ~ProcessSpawner() = default;
    /// Returns when the program has been loaded or could not be: not_found, permission_denied,
    /// invalid_argument (a descriptor that is not open or named twice, a file that is no program),
    /// resource_exhausted, or what the step failed with; the text names step and program.
    virtual base::Result<std::unique_ptr<Process>> spawn(ProcessSpec spec) = 0;
};

/// Children of this process, watched by the shard of `world`, which must outlive them.
std::unique_ptr<ProcessSpawner> make_process_spawner(World& world);

}  // namespace reactor

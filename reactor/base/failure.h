// The error value of everything that can fail for reasons outside the program: a code that callers
// branch on and a sentence that people read. Protocol errors (StanzaError, StreamError) are types
// of their own in xmpp/core/error.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

/// What went wrong, coarse enough to branch on. Names follow POSIX and Twisted's error classes.
enum class Errc : std::uint8_t {
    cancelled,           ///< The waiting side withdrew.
    timed_out,           ///< A deadline passed.
    broken_promise,      ///< A Promise was destroyed unresolved.
    connection_done,     ///< The peer closed in an orderly way.
    connection_lost,     ///< The connection broke (reset, EOF in the middle, unreachable).
    connection_aborted,  ///< We aborted it.
    connection_refused,  ///< Nobody listens there.
    address_in_use,      ///< Another process listens there.
    tls_failed,          ///< Handshake or record layer error; the text has OpenSSL's reason.
    queue_full,          ///< A bounded queue (mailbox, pool, stream) is full.
    closed,              ///< The service (pool, database, listener) was closed before.
    not_found,
    already_exists,
    invalid_argument,  ///< Malformed input; the text says what.
    permission_denied,
    resource_exhausted,  ///< Out of file descriptors, memory, or a configured cap.
    no_space,            ///< Disk or quota full.
    busy,                ///< Locked by somebody else; try again.
    io_error,
    corrupt,  ///< Stored data is damaged.
    too_new,  ///< Data written by a newer version of the program.
    unsupported,
    internal,
    no_route,           ///< The host or network cannot be reached from here.
    empty_set,          ///< The first of none was asked for.
    already_called,     ///< It has happened: nothing left to cancel or move.
    already_cancelled,  ///< It was cancelled before.
    already_running,
    not_running,
    stopped,         ///< Somebody else stopped it before its end.
    would_deadlock,  ///< Waiting could never end; the text names the cycle.
};

/// The stable lower-case name, as it appears in logs ("timed_out").
std::string_view name_of(Errc code) noexcept;

/// A code and an optional sentence. 8 bytes; copying is cheap (atomic reference count), may cross
/// threads. Building one from a bare code does not allocate.
class Failure {
public:
    Failure(Errc code) noexcept;  // NOLINT(google-explicit-constructor): `return Errc::closed;`
    Failure(Errc code, std::string detail);
    Failure(const Failure& other) noexcept;
    Failure(Failure&& other) noexcept;
    Failure& operator=(const Failure& other) noexcept;
    Failure& operator=(Failure&& other) noexcept;
    ~Failure();

    Errc code() const noexcept;
    bool is(Errc wanted) const noexcept { return code() == wanted; }
    /// Any of several.
    template <class... Codes>
    bool is(Errc first, Errc second, Codes... others) const noexcept {
        return is(first) || is(second, others...);
    }
    /// The sentence without the code; empty when none was given.
    std::string_view detail() const noexcept;
    /// "timed_out: no answer to the ping within 30 s"
    std::string message() const;
    /// The same failure with `context: ` put before its detail.
    [[nodiscard]] Failure with(std::string_view context) const;

    /// Most bytes that a trace keeps; later hops are left out.
    static constexpr std::size_t kTraceMax = 4096;
    /// The same failure having passed `file`:`line`; see reactor::capture_tracebacks.
    [[nodiscard]] Failure passed(std::string_view file, std::uint32_t line) const;
    /// The places that it passed, one "file:line" a line, the innermost first; empty unless
    /// captured.
    std::string_view trace() const noexcept;
    /// The message, then the trace.
    std::string traceback() const;

private:
    struct Node;
    // Either a Node* or a tagged code (lowest bit set), so that bare codes need no memory.
    std::uintptr_t bits_;
};

/// The failure for an errno value; `doing` is a phrase such as "cannot open parley.db".
Failure failure_from_errno(int error_number, std::string_view doing);

}  // namespace base

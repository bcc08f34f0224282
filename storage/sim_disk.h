// SimDisk: a disk in memory for the simulator. What was written and not yet synced is lost, kept or
// torn, page by page, when the power fails; it can fill up. SQLite reaches it through a VFS of its
// own, so that recovery is the engine's real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace storage {

/// One thread. Given to make_inline_database in DatabaseOptions; must outlive the database. The
/// same seed and the same calls lose the same bytes.
class SimDisk {
public:
    explicit SimDisk(std::uint64_t seed = 1);
    SimDisk(const SimDisk&) = delete;
    SimDisk& operator=(const SimDisk&) = delete;
    ~SimDisk();

    /// The power fails: unsynced writes become what a disk makes of them, and until `power_on`
    /// every access fails. Destroy the database in between, as the process would be gone.
    void power_off();
    void power_on();
    /// The process is killed and the machine goes on: nothing written is lost, but the process's
    /// further accesses fail until `power_on`.
    void kill_process();

    /// All files together; a write beyond fails as on a full disk. 0: no end.
    void set_capacity_bytes(std::uint64_t bytes);
    /// The next write, or the next sync, fails with an input/output error.
    void fail_next_write();
    void fail_next_sync();
    /// Nothing fails any more, nor what was to, and there is room.
    void mend();

    std::uint64_t used_bytes() const;
    std::uint64_t syncs() const;  ///< Since construction.

    struct Impl;
    /// For the engine: the name SQLite knows this disk by.
    const std::string& vfs_name() const;

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage

// SimDisk as SQLite sees it: a VFS whose files are vectors, and what becomes of them in a power
// cut.
#include "storage/sim_disk.h"

#include "reactor/base/check.h"
#include "reactor/base/split_mix.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

namespace storage {
namespace {

// What a disk writes as one: a sector is old or new, never a mixture.
constexpr std::size_t kSectorBytes = 512;

/// A write or truncation that no sync has covered yet.
struct Change {
    std::size_t offset = 0;
    std::vector<std::byte> bytes;
    bool truncates = false;  // To `offset`.
};

struct File {
    std::vector<std::byte> synced;
    std::vector<std::byte> current;
    std::vector<Change> changes;
};

void write_into(std::vector<std::byte>& content, std::size_t offset, const std::byte* bytes,
                std::size_t count) {
    if (content.size() < offset + count) content.resize(offset + count);
    std::memcpy(content.data() + offset, bytes, count);
}

void carry_out(std::vector<std::byte>& content, const Change& change) {
    if (change.truncates) {
        if (content.size() > change.offset) content.resize(change.offset);
    } else {
        write_into(content, change.offset, change.bytes.data(), change.bytes.size());
    }
}

}  // namespace

struct SimDisk::Impl {
    explicit Impl(std::uint64_t seed) : draws(seed) {}

    std::map<std::string, std::unique_ptr<File>> files;
    base::SplitMix64 draws;
    std::string name;
    sqlite3_vfs vfs{};
    std::uint64_t capacity_bytes = 0;
    std::uint64_t syncs = 0;
    bool off = false;
    bool write_fails = false;
    bool sync_fails = false;

    std::uint64_t used_bytes() const {
        std::uint64_t sum = 0;
        for (const auto& [path, file] : files)
            sum += file->current.size();
        return sum;
    }
    void lose_unsynced(File& file);
};

void SimDisk::Impl::lose_unsynced(File& file) {
    for (const Change& change : file.changes) {
        const std::uint64_t fate = draws.next() % 4;
        if (fate == 0) continue;
        if (fate < 3 || change.truncates) {
            carry_out(file.synced, change);
            continue;
        }
        for (std::size_t at = 0; at < change.bytes.size(); at += kSectorBytes) {
            if (draws.next() % 2 == 0) continue;
            write_into(file.synced, change.offset + at, change.bytes.data() + at,
                       std::min(kSectorBytes, change.bytes.size() - at));
        }
    }
    file.changes.clear();
    file.current = file.synced;
}

namespace {

/// What SQLite allocates per open file; `base` first, as its interface demands.
struct OpenFile {
    sqlite3_file base;
    SimDisk::Impl* disk;
    File* file;
    bool temporary;  // Nobody else knows it: it goes with its handle.
};

OpenFile& open_file_of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

SimDisk::Impl& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<SimDisk::Impl*>(vfs->pAppData);
}

int close_file(sqlite3_file* file) {
    OpenFile& open = open_file_of(file);
    if (open.temporary) delete open.file;
    open.file = nullptr;
    return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* into, int count, sqlite3_int64 offset) {
    const OpenFile& open = open_file_of(handle);
    if (open.disk->off) return SQLITE_IOERR_READ;
    const std::vector<std::byte>& content = open.file->current;
    const auto from = static_cast<std::size_t>(offset);
    const auto wanted = static_cast<std::size_t>(count);
    const std::size_t there = from < content.size() ? content.size() - from : 0;
    const std::size_t taken = std::min(wanted, there);
    if (taken > 0) std::memcpy(into, content.data() + from, taken);
    if (taken == wanted) return SQLITE_OK;
    std::memset(static_cast<std::byte*>(into) + taken, 0, wanted - taken);
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* bytes, int count, sqlite3_int64 offset) {
    const OpenFile& open = open_file_of(handle);
    SimDisk::Impl& disk = *open.disk;
    if (disk.off || std::exchange(disk.write_fails, false)) return SQLITE_IOERR_WRITE;
    File& file = *open.file;
    const auto from = static_cast<std::size_t>(offset);
    const auto length = static_cast<std::size_t>(count);
    const std::size_t end = from + length;
    if (disk.capacity_bytes != 0 && end > file.current.size() &&
        disk.used_bytes() + (end - file.current.size()) > disk.capacity_bytes)
        return SQLITE_FULL;
    const auto* data = static_cast<const std::byte*>(bytes);
    write_into(file.current, from, data, length);
    file.changes.push_back({from, {data, data + length}, false});
    return SQLITE_OK;
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
    const OpenFile& open = open_file_of(handle);
    if (open.disk->off) return SQLITE_IOERR_TRUNCATE;
    Change change{static_cast<std::size_t>(size), {}, true};
    carry_out(open.file->current, change);
    open.file->changes.push_back(std::move(change));
    return SQLITE_OK;
}

int sync_file(sqlite3_file* handle, int) {
    const OpenFile& open = open_file_of(handle);
    SimDisk::Impl& disk = *open.disk;
    if (disk.off || std::exchange(disk.sync_fails, false)) return SQLITE_IOERR_FSYNC;
    File& file = *open.file;
    for (const Change& change : file.changes)
        carry_out(file.synced, change);
    file.changes.clear();
    ++disk.syncs;
    return SQLITE_OK;
}

int file_size(sqlite3_file* handle, sqlite3_int64* size) {
    const OpenFile& open = open_file_of(handle);
    if (open.disk->off) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>(open.file->current.size());
    return SQLITE_OK;
}

// One connection in one process: nobody to lock against.
int lock_file(sqlite3_file*, int) {
    return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) {
    return static_cast<int>(kSectorBytes);
}

int device_characteristics(sqlite3_file*) {
    return 0;
}

constexpr sqlite3_io_methods make_methods() {
    sqlite3_io_methods methods{};
    methods.iVersion = 1;
    methods.xClose = close_file;
    methods.xRead = read_file;
    methods.xWrite = write_file;
    methods.xTruncate = truncate_file;
    methods.xSync = sync_file;
    methods.xFileSize = file_size;
    methods.xLock = lock_file;
    methods.xUnlock = lock_file;
    methods.xCheckReservedLock = check_reserved_lock;
    methods.xFileControl = file_control;
    methods.xSectorSize = sector_size;
    methods.xDeviceCharacteristics = device_characteristics;
    return methods;
}

constexpr sqlite3_io_methods kMethods = make_methods();

int open_in(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* handle, int flags,
            int* out_flags) {
    SimDisk::Impl& disk = disk_of(vfs);
    OpenFile& open = open_file_of(handle);
    open.base.pMethods = nullptr;
    if (disk.off) return SQLITE_CANTOPEN;
    open.disk = &disk;
    open.temporary = path == nullptr;
    if (open.temporary) {
        open.file = new File;
    } else {
        if (!disk.files.contains(path)) {
            if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
            disk.files.emplace(path, std::make_unique<File>());
        }
        open.file = disk.files.find(path)->second.get();
    }
    open.base.pMethods = &kMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int delete_in(sqlite3_vfs* vfs, const char* path, int) {
    SimDisk::Impl& disk = disk_of(vfs);
    if (disk.off) return SQLITE_IOERR_DELETE;
    return disk.files.erase(path) == 1 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int access_in(sqlite3_vfs* vfs, const char* path, int, int* exists) {
    *exists = disk_of(vfs).files.contains(path) ? 1 : 0;
    return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int room, char* out) {
    const std::size_t length = std::strlen(path);
    if (length + 1 > static_cast<std::size_t>(room)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, length + 1);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int count, char* out) {
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<char>(disk_of(vfs).draws.next() & 0xff);
    return count;
}

int sleep_in(sqlite3_vfs*, int microseconds) {
    return microseconds;
}

// Nothing that is stored asks SQLite for the time.
int current_time(sqlite3_vfs*, double* day) {
    *day = 2'440'587.5;
    return SQLITE_OK;
}

}  // namespace

SimDisk::SimDisk(std::uint64_t seed) : impl_(std::make_unique<Impl>(seed)) {
    impl_->name = fmt::format("sim-disk-{}", static_cast<const void*>(impl_.get()));
    sqlite3_vfs& vfs = impl_->vfs;
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(OpenFile);
    vfs.mxPathname = 512;
    vfs.zName = impl_->name.c_str();
    vfs.pAppData = impl_.get();
    vfs.xOpen = open_in;
    vfs.xDelete = delete_in;
    vfs.xAccess = access_in;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep_in;
    vfs.xCurrentTime = current_time;
    CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

SimDisk::~SimDisk() {
    sqlite3_vfs_unregister(&impl_->vfs);
}

void SimDisk::power_off() {
    impl_->off = true;
    for (auto& [path, file] : impl_->files)
        impl_->lose_unsynced(*file);
}

void SimDisk::power_on() {
    impl_->off = false;
}

void SimDisk::kill_process() {
    impl_->off = true;
}

void SimDisk::set_capacity_bytes(std::uint64_t bytes) {
    impl_->capacity_bytes = bytes;
}

void SimDisk::fail_next_write() {
    impl_->write_fails = true;
}

void SimDisk::fail_next_sync() {
    impl_->sync_fails = true;
}

void SimDisk::mend() {
    impl_->capacity_bytes = 0;
    impl_->write_fails = false;
    impl_->sync_fails = false;
}

std::uint64_t SimDisk::used_bytes() const {
    return impl_->used_bytes();
}

std::uint64_t SimDisk::syncs() const {
    return impl_->syncs;
}

const std::string& SimDisk::vfs_name() const {
    return impl_->name;
}

}  // namespace storage

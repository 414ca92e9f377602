// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/vfs.h"

#include <cstring>

#include <sqlite3.h>

#include "base/assert.h"
#include "port/sim/path.h"

namespace coracle::port_sim {
namespace {

struct SimSqliteFile {
  sqlite3_file base;
  SqliteVfs* vfs;
  Node* node;
  Node* directory;
  uint64_t epoch;
  int lock;
  bool delete_on_close;
  bool sync_directory;  // at the first sync: a new journal's name must be durable, too
  char name[256];
};

SimSqliteFile* self(sqlite3_file* file) {
  return reinterpret_cast<SimSqliteFile*>(file);
}
SqliteVfs* owner(sqlite3_vfs* vfs) {
  return static_cast<SqliteVfs*>(vfs->pAppData);
}

int code_of(Trouble trouble, int io_error) {
  if (trouble == Trouble::kNone) return SQLITE_OK;
  return trouble == Trouble::kFull ? SQLITE_FULL : io_error;
}

bool dead(const SimSqliteFile* file) {
  const Platter& platter = file->vfs->platter();
  return !platter.powered() || platter.epoch() != file->epoch;
}

// --- file methods

int x_unlock(sqlite3_file* base, int level);

int x_close(sqlite3_file* base) {
  SimSqliteFile* file = self(base);
  x_unlock(base, SQLITE_LOCK_NONE);
  file->node->handles--;
  if (file->delete_on_close && !dead(file) && file->directory != nullptr) {
    file->vfs->platter().set_entry(*file->directory, file->name, nullptr);
  }
  return SQLITE_OK;
}

int x_read(sqlite3_file* base, void* out, int amount, sqlite3_int64 offset) {
  SimSqliteFile* file = self(base);
  if (dead(file)) return SQLITE_IOERR_READ;
  const size_t wanted = static_cast<size_t>(amount);
  size_t got = wanted;
  char* bytes = static_cast<char*>(out);
  const auto at = static_cast<uint64_t>(offset);
  if (file->vfs->platter().read(*file->node, at, bytes, got) != Trouble::kNone) {
    return SQLITE_IOERR_READ;
  }
  if (got == wanted) return SQLITE_OK;
  std::memset(bytes + got, 0, wanted - got);
  return SQLITE_IOERR_SHORT_READ;
}

int x_write(sqlite3_file* base, const void* in, int amount, sqlite3_int64 offset) {
  SimSqliteFile* file = self(base);
  if (dead(file)) return SQLITE_IOERR_WRITE;
  const std::string_view bytes(static_cast<const char*>(in), static_cast<size_t>(amount));
  return code_of(file->vfs->platter().write(*file->node, static_cast<uint64_t>(offset), bytes),
                 SQLITE_IOERR_WRITE);
}

int x_truncate(sqlite3_file* base, sqlite3_int64 size) {
  SimSqliteFile* file = self(base);
  if (dead(file)) return SQLITE_IOERR_TRUNCATE;
  return code_of(file->vfs->platter().truncate(*file->node, static_cast<uint64_t>(size)),
                 SQLITE_IOERR_TRUNCATE);
}

int x_sync(sqlite3_file* base, int) {
  SimSqliteFile* file = self(base);
  if (dead(file)) return SQLITE_IOERR_FSYNC;
  const Trouble trouble = file->vfs->platter().sync(*file->node);
  if (trouble != Trouble::kNone) return code_of(trouble, SQLITE_IOERR_FSYNC);
  if (!file->sync_directory || file->directory == nullptr) return SQLITE_OK;
  file->sync_directory = false;
  return code_of(file->vfs->platter().sync_directory(*file->directory), SQLITE_IOERR_DIR_FSYNC);
}

int x_file_size(sqlite3_file* base, sqlite3_int64* size) {
  SimSqliteFile* file = self(base);
  if (dead(file)) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(file->node->bytes.size());
  return SQLITE_OK;
}

int x_lock(sqlite3_file* base, int level) {
  SimSqliteFile* file = self(base);
  SharedLocks& locks = file->node->locks;
  if (file->lock >= level) return SQLITE_OK;
  if (level == SQLITE_LOCK_SHARED) {
    if (locks.pending != nullptr || locks.exclusive != nullptr) return SQLITE_BUSY;
    locks.readers++;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (locks.reserved != nullptr) return SQLITE_BUSY;
    locks.reserved = file;
  } else {
    if (locks.reserved != nullptr && locks.reserved != file) return SQLITE_BUSY;
    if (locks.pending != nullptr && locks.pending != file) return SQLITE_BUSY;
    locks.pending = file;
    if (locks.readers > 1) return SQLITE_BUSY;
    locks.exclusive = file;
  }
  file->lock = level;
  return SQLITE_OK;
}

int x_unlock(sqlite3_file* base, int level) {
  SimSqliteFile* file = self(base);
  if (file->lock <= level || file->vfs->platter().epoch() != file->epoch) return SQLITE_OK;
  SharedLocks& locks = file->node->locks;
  if (locks.exclusive == file) locks.exclusive = nullptr;
  if (locks.pending == file) locks.pending = nullptr;
  if (locks.reserved == file) locks.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && file->lock >= SQLITE_LOCK_SHARED) locks.readers--;
  file->lock = level;
  return SQLITE_OK;
}

int x_check_reserved_lock(sqlite3_file* base, int* out) {
  *out = self(base)->node->locks.reserved != nullptr;
  return SQLITE_OK;
}

int x_file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int x_sector_size(sqlite3_file*) {
  return 4096;
}
int x_device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int x_shm_map(sqlite3_file* base, int page, int bytes, int extend, void volatile** out) {
  SharedLocks& locks = self(base)->node->locks;
  const size_t index = static_cast<size_t>(page);
  *out = nullptr;
  if (index >= locks.pages.size() && extend == 0) return SQLITE_OK;
  while (locks.pages.size() <= index) {
    locks.pages.push_back(std::make_unique<char[]>(static_cast<size_t>(bytes)));
  }
  *out = locks.pages[index].get();
  return SQLITE_OK;
}

int take_slots(SharedLocks& locks, const void* who, int first, int count, bool exclusive) {
  for (int i = first; i < first + count; i++) {
    const bool other = locks.slot_writer[i] != nullptr && locks.slot_writer[i] != who;
    if (other || (exclusive && locks.slot_readers[i] > 0)) return SQLITE_BUSY;
  }
  for (int i = first; i < first + count; i++) {
    if (exclusive) {
      locks.slot_writer[i] = who;
    } else {
      locks.slot_readers[i]++;
    }
  }
  return SQLITE_OK;
}

int x_shm_lock(sqlite3_file* base, int first, int count, int flags) {
  SimSqliteFile* file = self(base);
  if (file->vfs->platter().epoch() != file->epoch) return SQLITE_OK;
  SharedLocks& locks = file->node->locks;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_LOCK) != 0) return take_slots(locks, file, first, count, exclusive);
  for (int i = first; i < first + count; i++) {
    if (exclusive) {
      if (locks.slot_writer[i] == file) locks.slot_writer[i] = nullptr;
    } else if (locks.slot_readers[i] > 0) {
      locks.slot_readers[i]--;
    }
  }
  return SQLITE_OK;
}

void x_shm_barrier(sqlite3_file*) {}

int x_shm_unmap(sqlite3_file* base, int remove) {
  SimSqliteFile* file = self(base);
  if (remove != 0 && !dead(file)) file->node->locks.pages.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         x_close,
                                         x_read,
                                         x_write,
                                         x_truncate,
                                         x_sync,
                                         x_file_size,
                                         x_lock,
                                         x_unlock,
                                         x_check_reserved_lock,
                                         x_file_control,
                                         x_sector_size,
                                         x_device_characteristics,
                                         x_shm_map,
                                         x_shm_lock,
                                         x_shm_barrier,
                                         x_shm_unmap,
                                         nullptr,
                                         nullptr};

// --- VFS methods

int x_open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* base, int flags, int* out_flags) {
  SimSqliteFile* file = self(base);
  *file = SimSqliteFile{};
  Platter& platter = owner(vfs)->platter();
  if (!platter.powered()) return SQLITE_CANTOPEN;
  Place place;
  if (path != nullptr) {
    auto found = find_place(platter.root(), path, LastSymlink::kFollow, Reach::kAnywhere);
    if (!found || found->directory == nullptr || found->name.size() >= sizeof file->name) {
      return SQLITE_CANTOPEN;
    }
    place = *found;
  }
  if (place.node == nullptr) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    place.node = &platter.make(port::FileType::kFile, 0600);
    if (place.directory != nullptr &&
        platter.set_entry(*place.directory, place.name, place.node) != Trouble::kNone) {
      return SQLITE_CANTOPEN;
    }
    constexpr int kJournals =
        SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
    file->sync_directory = (flags & kJournals) != 0;
  }
  file->vfs = owner(vfs);
  file->node = place.node;
  file->directory = place.directory;
  file->epoch = platter.epoch();
  file->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  std::memcpy(file->name, place.name.c_str(), place.name.size() + 1);
  file->node->handles++;
  file->base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int x_delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  Platter& platter = owner(vfs)->platter();
  if (!platter.powered()) return SQLITE_IOERR_DELETE;
  auto found = find_place(platter.root(), path, LastSymlink::kStay, Reach::kAnywhere);
  if (!found || found->node == nullptr) return SQLITE_IOERR_DELETE_NOENT;
  const Trouble trouble = platter.set_entry(*found->directory, found->name, nullptr);
  if (trouble != Trouble::kNone) return code_of(trouble, SQLITE_IOERR_DELETE);
  if (sync_directory == 0) return SQLITE_OK;
  return code_of(platter.sync_directory(*found->directory), SQLITE_IOERR_DIR_FSYNC);
}

int x_access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
  Platter& platter = owner(vfs)->platter();
  if (!platter.powered()) return SQLITE_IOERR_ACCESS;
  auto found = find_place(platter.root(), path, LastSymlink::kFollow, Reach::kAnywhere);
  const bool there = found && found->node != nullptr;
  *out = there && (flags != SQLITE_ACCESS_EXISTS || !found->node->bytes.empty());
  return SQLITE_OK;
}

int x_full_pathname(sqlite3_vfs*, const char* path, int room, char* out) {
  const size_t bytes = std::strlen(path) + 1;
  if (bytes > static_cast<size_t>(room)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, bytes);
  return SQLITE_OK;
}

int x_randomness(sqlite3_vfs* vfs, int bytes, char* out) {
  owner(vfs)->platter().dice().fill(out, static_cast<size_t>(bytes));
  return bytes;
}

int x_sleep(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

int x_current_time(sqlite3_vfs* vfs, double* out) {
  *out = 2440587.5 + static_cast<double>(owner(vfs)->clock().wall().seconds()) / 86400.0;
  return SQLITE_OK;
}

int x_get_last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

SqliteVfs::SqliteVfs(Platter& platter, port::Clock& clock)
    : platter_(platter),
      clock_(clock),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  char address[32];
  sqlite3_snprintf(sizeof address, address, "sim-%p", static_cast<void*>(this));
  name_ = address;
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(SimSqliteFile);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = x_open;
  vfs_->xDelete = x_delete;
  vfs_->xAccess = x_access;
  vfs_->xFullPathname = x_full_pathname;
  vfs_->xRandomness = x_randomness;
  vfs_->xSleep = x_sleep;
  vfs_->xCurrentTime = x_current_time;
  vfs_->xGetLastError = x_get_last_error;
  ASSERT(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK);
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace coracle::port_sim

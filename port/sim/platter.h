// SPDX-License-Identifier: GPL-2.0-or-later
// What a simulated disk is made of: a tree of nodes, each with the content that readers see and the
// content that is sure to survive. Between the two lie the changes that were not synced yet; when
// the power fails, a random part of them is kept: single 512-byte sectors of writes, and whole
// directory changes (an entry made, removed, or a rename), each without regard to the others.
//
// Every change is one numbered operation, so a fault can be placed at any of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "port/disk.h"
#include "port/sim/dice.h"

namespace coracle::port_sim {

inline constexpr size_t kSectorBytes = 512;

enum class Trouble : uint8_t { kNone, kIo, kFull, kPower };

struct Write {
  uint64_t offset = 0;
  std::string bytes;
  bool truncates = false;  // to `offset`
};

// What several SQLite connections share about one file.
struct SharedLocks {
  static constexpr int kSlots = 8;
  int readers = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
  int slot_readers[kSlots] = {};
  const void* slot_writer[kSlots] = {};
  std::vector<std::unique_ptr<char[]>> pages;  // the WAL index
};

struct Node {
  port::FileType type = port::FileType::kFile;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  Wall modified;
  uint64_t device = 0;
  std::string target;  // of a symlink
  std::map<std::string, std::string> attributes;

  std::string bytes;
  std::string durable;
  std::vector<Write> unsynced;

  std::map<std::string, Node*> entries;  // of a directory
  std::map<std::string, Node*> durable_entries;

  SharedLocks locks;
  int handles = 0;  // open files; keep the node alive
  bool marked = false;
};

struct Faults {
  uint64_t power_off_at = 0;       // the operation with this number is the last; 0: never
  uint64_t io_error_at = 0;        // this operation fails, as a flaky medium would
  bool io_errors_last = false;     // and all after it, too
  uint64_t capacity = UINT64_MAX;  // bytes of all files; beyond: no space
  bool ignores_syncs = false;      // a lying disk, to test the tests
};

class Platter {
 public:
  explicit Platter(uint64_t seed);

  Node& root() { return *root_; }
  Node& make(port::FileType type, uint32_t mode);

  Trouble read(const Node& file,
               uint64_t offset,
               char* out,
               size_t& bytes);  // in: wanted, out: got
  Trouble write(Node& file, uint64_t offset, std::string_view bytes);
  Trouble truncate(Node& file, uint64_t size);
  Trouble sync(Node& file);
  Trouble set_entry(Node& directory, const std::string& name, Node* node);  // null removes
  struct Name {
    Node* directory = nullptr;
    std::string name;
  };
  Trouble move(const Name& from, const Name& to);
  Trouble sync_directory(Node& directory);
  bool powered() const { return powered_; }

  Faults faults;
  uint64_t operations() const { return operations_; }
  uint64_t syncs() const { return syncs_; }
  uint64_t bytes_used() const { return used_; }

  void power_off() { powered_ = false; }
  void power_on();  // whatever did not survive is gone; handles opened before stay dead
  uint64_t epoch() const { return epoch_; }  // handles of an earlier one are dead
  Dice& dice() { return dice_; }

 private:
  struct EntryChange {
    Node* directory;
    std::string name;
    Node* node;
  };
  struct DirectoryOperation {  // all or nothing
    std::vector<EntryChange> changes;
    bool touches(const Node& directory) const;
  };

  Trouble begin_operation();
  void apply(std::string& content, const Write& write, size_t from, size_t bytes) const;
  void keep_some(Node& file, uint32_t percent);
  void enter(DirectoryOperation operation);
  static void make_durable(const DirectoryOperation& operation);
  void sweep();
  void mark(Node& node);

  Dice dice_;
  std::vector<std::unique_ptr<Node>> nodes_;
  Node* root_;
  std::vector<DirectoryOperation> unsynced_entries_;
  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  uint64_t used_ = 0;
  uint64_t epoch_ = 1;
  bool powered_ = true;
};

}  // namespace coracle::port_sim

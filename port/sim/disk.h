// SPDX-License-Identifier: GPL-2.0-or-later
// port::Disk over a Platter. SQLite sees the same files through the VFS named sqlite_vfs().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/disk.h"
#include "port/sim/path.h"
#include "port/sim/platter.h"

namespace coracle::port_sim {

class SqliteVfs;

class SimDisk : public port::Disk {
 public:
  SimDisk(uint64_t seed, port::Clock& clock);
  ~SimDisk() override;

  Result<std::unique_ptr<port::File>> open(const std::string& path,
                                           port::OpenMode mode,
                                           uint32_t permissions) override;
  Result<std::unique_ptr<port::Tree>> tree(const std::string& path) override;
  Result<std::string> read_file(const std::string& path, size_t bytes_max) override;
  Result<> write_file(const std::string& path,
                      std::string_view bytes,
                      uint32_t permissions) override;
  Result<> replace_file(const std::string& path,
                        std::string_view bytes,
                        uint32_t permissions) override;
  Result<> make_directories(const std::string& path, uint32_t permissions) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> remove_tree(const std::string& path) override;
  Result<> remove_directory(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<port::FileStat> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<port::Space> space(const std::string& path) override;
  const char* sqlite_vfs() const override;

  // The world's side.
  Platter& platter() { return platter_; }
  Faults& faults() { return platter_.faults; }
  void power_off() { platter_.power_off(); }
  void power_on() { platter_.power_on(); }
  void flip_bits(const std::string& path, uint64_t offset, char mask);  // rot: noticed by nobody

 private:
  Result<Place> find(const std::string& path, LastSymlink last = LastSymlink::kFollow);

  Platter platter_;
  std::unique_ptr<SqliteVfs> vfs_;
};

// Shared with Tree.
Error trouble_error(Trouble trouble, std::string_view what);
Result<> outcome(Trouble trouble, std::string_view what);
Result<std::unique_ptr<port::File>> open_place(Platter& platter,
                                               const Place& place,
                                               port::OpenMode mode,
                                               uint32_t permissions);
Result<> remove_place(Platter& platter, const Place& place);  // recursive; absent is fine
port::FileStat stat_of(const Node& node);
std::vector<std::string> names_in(const Node& directory);
std::unique_ptr<port::Tree> new_tree(Platter& platter, Node& root);

}  // namespace coracle::port_sim

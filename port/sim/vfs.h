// SPDX-License-Identifier: GPL-2.0-or-later
// SQLite's view of a Platter: the same sync points, sector behaviour and directory syncs as
// SQLite's own "unix-excl" VFS (one process; the WAL index lives on the heap).
#pragma once

#include <memory>
#include <string>

#include "port/clock.h"
#include "port/sim/platter.h"

struct sqlite3_vfs;

namespace coracle::port_sim {

class SqliteVfs {
 public:
  SqliteVfs(Platter& platter, port::Clock& clock);
  ~SqliteVfs();  // all connections must be closed
  const char* name() const { return name_.c_str(); }
  Platter& platter() { return platter_; }
  port::Clock& clock() { return clock_; }

 private:
  Platter& platter_;
  port::Clock& clock_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace coracle::port_sim

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/disk.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

class RealDisk : public port::Disk {
 public:
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
  // One process alone uses our databases: the WAL index needs no file, which a full disk could not
  // hold.
  const char* sqlite_vfs() const override { return "unix-excl"; }
};

}  // namespace coracle::port_linux

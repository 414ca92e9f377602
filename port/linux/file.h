// SPDX-License-Identifier: GPL-2.0-or-later
// What Disk and Tree share: open files, directory listings and removal beneath a directory
// descriptor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "port/disk.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

int open_flags(port::OpenMode mode);  // with O_CLOEXEC
std::unique_ptr<port::File> new_file(Fd fd, port::OpenMode mode, std::string path);
port::FileStat file_stat(const struct stat& from);
Result<std::vector<std::string>> list_directory(Fd directory, const std::string& path);  // sorted

// Removes `name` in `directory` with all that is beneath it; never follows a symlink; absent is
// fine.
Result<> remove_beneath(int directory, const std::string& name);

}  // namespace coracle::port_linux

// SPDX-License-Identifier: GPL-2.0-or-later
// Reads tar archives as images use them: ustar, GNU long names, PAX headers (path, linkpath, size,
// mtime, xattrs).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "node/source.h"

namespace coracle::node {

enum class TarType : uint8_t {
  kFile,
  kHardLink,
  kSymlink,
  kCharacterDevice,
  kBlockDevice,
  kDirectory,
  kFifo,
};

struct TarEntry {
  TarType type = TarType::kFile;
  std::string name;  // as in the archive
  std::string link;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size = 0;
  uint64_t offset = 0;  // of the content, from the start of the source
  Wall modified;
  std::vector<std::pair<std::string, std::string>> attributes;
};

class TarReader {
 public:
  explicit TarReader(ByteSource& from) : from_(from) {}
  // False at the end. Content that was not read is skipped. kCorrupt: bad checksum, cut short,
  // bounds.
  Result<bool> next(TarEntry& entry);
  Result<size_t> read(char* out, size_t bytes);  // of the content of the entry

 private:
  struct Extra;
  Result<bool> header(TarEntry& entry, char& flag);
  Result<> skip_content();
  Result<std::string> small_content(uint64_t size);
  Result<> pax(Extra& extra, uint64_t size);

  ByteSource& from_;
  uint64_t at_ = 0;
  uint64_t content_left_ = 0;
  uint64_t padding_left_ = 0;
};

}  // namespace coracle::node

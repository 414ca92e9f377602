// SPDX-License-Identifier: GPL-2.0-or-later
// Streams of bytes that are pulled: parts of a file, what gzip packed, what is being hashed. Used
// on the unpack lane; memory is a few buffers, whatever the size of the image.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pki/digest.h"
#include "port/disk.h"

namespace coracle::node {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<size_t> read(char* out, size_t bytes) = 0;  // 0: the end; may be short before it
};

Result<> read_all(ByteSource& source,
                  char* out,
                  size_t bytes);  // exactly; kCorrupt if it ends early
Result<std::string> read_whole(ByteSource& source, size_t bytes_max);

class FileSource final : public ByteSource {
 public:
  FileSource(port::File& file, uint64_t offset, uint64_t size)
      : file_(file),
        at_(offset),
        left_(size) {}
  Result<size_t> read(char* out, size_t bytes) override;

 private:
  port::File& file_;
  uint64_t at_;
  uint64_t left_;
};

// Hashes and counts what passes; more than bytes_max is refused (a decompression bomb).
class HashedSource final : public ByteSource {
 public:
  HashedSource(ByteSource& from, uint64_t bytes_max) : from_(from), bytes_max_(bytes_max) {}
  Result<size_t> read(char* out, size_t bytes) override;
  Result<> drain();      // to the end, so that the digest is of everything
  std::string digest();  // "sha256:<hex>"; once, after the end
  uint64_t bytes() const { return bytes_; }

 private:
  ByteSource& from_;
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  pki::Sha256 sha_;
};

// Whether the next bytes are a gzip member is told by the first two.
bool is_gzip(std::string_view head);

class GunzipSource final : public ByteSource {
 public:
  explicit GunzipSource(ByteSource& from);
  ~GunzipSource() override;
  Result<size_t> read(char* out, size_t bytes) override;

 private:
  class State;
  Result<> refill();
  ByteSource& from_;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::node

// SPDX-License-Identifier: GPL-2.0-or-later
// The bytes of a log entry or a snapshot: immutable and counted, so that the log, the messages to
// every peer and the effects share one copy. The count is not atomic: a payload stays on the loop's
// thread (lanes get views of bytes whose owner waits for them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace coracle::raft {

class Payload {
 public:
  Payload() = default;
  explicit Payload(std::string_view bytes);
  Payload(const Payload& other) : block_(other.block_) {
    if (block_) block_->references++;
  }
  Payload(Payload&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Payload& operator=(Payload other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Payload() { release(); }

  std::string_view view() const { return block_ ? std::string_view(bytes(), block_->size) : ""; }
  size_t size() const { return block_ ? block_->size : 0; }

 private:
  struct Block {  // the bytes follow
    uint32_t references;
    uint32_t size;
  };
  const char* bytes() const { return reinterpret_cast<const char*>(block_ + 1); }
  void release();

  Block* block_ = nullptr;
};

}  // namespace coracle::raft

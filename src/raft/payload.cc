// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/payload.h"

#include <cstring>
#include <new>

#include "base/assert.h"

namespace coracle::raft {

Payload::Payload(std::string_view bytes) {
  if (bytes.empty()) return;
  ASSERT(bytes.size() <= UINT32_MAX);
  void* memory = ::operator new(sizeof(Block) + bytes.size());
  block_ = new (memory) Block{1, static_cast<uint32_t>(bytes.size())};
  std::memcpy(block_ + 1, bytes.data(), bytes.size());
}

void Payload::release() {
  if (block_ && --block_->references == 0) ::operator delete(block_);
  block_ = nullptr;
}

}  // namespace coracle::raft

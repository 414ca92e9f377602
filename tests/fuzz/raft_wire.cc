// SPDX-License-Identifier: GPL-2.0-or-later
// Messages between members: what decodes encodes to the same bytes, and is judged without a crash.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "raft/wire.h"

using namespace coracle;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto message = raft::decode_message(input);
  if (!message) return 0;
  ASSERT(raft::encode(*message) == input);
  ASSERT(input.size() <= raft::wire_size_max(*message));
  static_cast<void>(raft::admissible(*message, 2));
  return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/wire.h"

#include <cstddef>

namespace coracle::api {

bool WireReader::varint(uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !input_.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(input_.front());
    input_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  failed_ = true;
  return false;
}

bool WireReader::fixed(size_t bytes, uint64_t& value) {
  if (input_.size() < bytes) return false;
  value = 0;
  for (size_t i = bytes; i-- > 0;)
    value = value << 8 | static_cast<uint8_t>(input_[i]);
  input_.remove_prefix(bytes);
  return true;
}

bool WireReader::read(WireField& field) {
  uint64_t tag = 0;
  if (!varint(tag)) return false;
  field.number = static_cast<uint32_t>(tag >> 3);
  if (field.number == 0 || tag >> 32 != 0) return false;
  switch (tag & 7) {
    case 0:
      field.wire = Wire::kVarint;
      return varint(field.value);
    case 1:
      field.wire = Wire::kFixed64;
      return fixed(8, field.value);
    case 5:
      field.wire = Wire::kFixed32;
      return fixed(4, field.value);
    case 2:
      break;
    default:
      return false;  // groups were never used by Kubernetes
  }
  field.wire = Wire::kBytes;
  uint64_t size = 0;
  if (!varint(size) || size > input_.size()) return false;
  field.bytes = input_.substr(0, static_cast<size_t>(size));
  input_.remove_prefix(static_cast<size_t>(size));
  return true;
}

bool WireReader::next(WireField& field) {
  if (failed_ || input_.empty()) return false;
  failed_ = !read(field);
  return !failed_;
}

}  // namespace coracle::api

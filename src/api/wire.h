// SPDX-License-Identifier: GPL-2.0-or-later
// The protobuf wire format: tags, varints and length-delimited bytes. Reads never leave the input.
#pragma once

#include <cstdint>
#include <string_view>

namespace coracle::api {

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field as it lies on the wire.
struct WireField {
  uint32_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t value = 0;      // kVarint, kFixed64, kFixed32
  std::string_view bytes;  // kBytes
};

class WireReader {
 public:
  explicit WireReader(std::string_view input) : input_(input) {}
  bool next(WireField& field);   // false: at the end, or malformed
  bool varint(uint64_t& value);  // one bare varint, for packed lists
  bool failed() const { return failed_; }
  bool at_end() const { return input_.empty(); }

 private:
  bool fixed(size_t bytes, uint64_t& value);
  bool read(WireField& field);

  std::string_view input_;
  bool failed_ = false;
};

}  // namespace coracle::api

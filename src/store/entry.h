// SPDX-License-Identifier: GPL-2.0-or-later
// The payload of a log entry: one mutation of one object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace coracle::store {

// Views into the payload or into whoever proposes it.
struct Mutation {
  Operation operation = Operation::kPut;
  uint64_t expected = 0;
  std::string_view key;
  std::string_view text;  // kPut

  size_t encoded_bytes() const;
  std::string encode() const;
  static std::optional<Mutation> decode(std::string_view payload);
};

// The payload of a configuration entry: the ids of the voters.
std::string encode_configuration(uint64_t voter);

}  // namespace coracle::store

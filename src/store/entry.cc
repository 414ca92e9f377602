// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/entry.h"

#include "base/bytes.h"

namespace coracle::store {
namespace {

// Numbers on disk, never reused.
constexpr char kPutNumber = 1;
constexpr char kDeleteNumber = 2;
constexpr size_t kFixedBytes = 1 + 8 + 4;

}  // namespace

size_t Mutation::encoded_bytes() const {
  return kFixedBytes + key.size() + text.size();
}

std::string Mutation::encode() const {
  std::string out;
  out.reserve(encoded_bytes());
  out.push_back(operation == Operation::kPut ? kPutNumber : kDeleteNumber);
  put_u64(out, expected);
  put_u32(out, static_cast<uint32_t>(key.size()));
  out += key;
  out += text;
  return out;
}

std::optional<Mutation> Mutation::decode(std::string_view payload) {
  if (payload.size() < kFixedBytes) return std::nullopt;
  if (payload[0] != kPutNumber && payload[0] != kDeleteNumber) return std::nullopt;
  Mutation mutation;
  mutation.operation = payload[0] == kPutNumber ? Operation::kPut : Operation::kDelete;
  mutation.expected = get_u64(&payload[1]);
  const size_t key_bytes = get_u32(&payload[9]);
  if (key_bytes > payload.size() - kFixedBytes) return std::nullopt;
  mutation.key = payload.substr(kFixedBytes, key_bytes);
  mutation.text = payload.substr(kFixedBytes + key_bytes);
  return mutation;
}

std::string encode_configuration(uint64_t voter) {
  std::string out;
  put_u32(out, 1);
  put_u64(out, voter);
  return out;
}

}  // namespace coracle::store

// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/entry.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::store {
namespace {

// Numbers on disk, never reused.
constexpr char kPutNumber = 1;
constexpr char kDeleteNumber = 2;
constexpr char kRefusalNumber = 3;
constexpr size_t kOriginBytes = 1 + 8 + 8;
constexpr size_t kFixedBytes = kOriginBytes + 8 + 4;
constexpr size_t kRefusalBytes = kOriginBytes + 4 + 4;
constexpr size_t kMessageBytesMax = 256;

// Errors that a refusal can carry, by their numbers in the log.
constexpr Code kCodes[] = {Code::kInternal, Code::kAlreadyExists, Code::kConflict,
                           Code::kTooLarge, Code::kUnavailable,   Code::kCorrupt,
                           Code::kNotFound, Code::kInvalid};

void put_head(std::string& out, char number, const Origin& origin) {
  out.push_back(number);
  put_u64(out, origin.member);
  put_u64(out, origin.sequence);
}

Origin origin_of(std::string_view payload) {
  return {get_u64(&payload[1]), get_u64(&payload[9])};
}

}  // namespace

size_t Mutation::encoded_bytes() const {
  return kFixedBytes + key.size() + text.size();
}

std::string Mutation::encode() const {
  std::string out;
  out.reserve(encoded_bytes());
  put_head(out, operation == Operation::kPut ? kPutNumber : kDeleteNumber, origin);
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
  mutation.origin = origin_of(payload);
  mutation.expected = get_u64(&payload[kOriginBytes]);
  const size_t key_bytes = get_u32(&payload[kOriginBytes + 8]);
  if (key_bytes > payload.size() - kFixedBytes) return std::nullopt;
  mutation.key = payload.substr(kFixedBytes, key_bytes);
  mutation.text = payload.substr(kFixedBytes + key_bytes);
  return mutation;
}

std::string Refusal::encode() const {
  std::string out;
  put_head(out, kRefusalNumber, origin);
  const Code* code = std::find(std::begin(kCodes), std::end(kCodes), error.code);
  put_u32(out, code == std::end(kCodes) ? 0 : static_cast<uint32_t>(code - kCodes));
  put_u32(out, error.retry_after_s);
  out += std::string_view(error.message).substr(0, kMessageBytesMax);
  return out;
}

std::optional<Refusal> Refusal::decode(std::string_view payload) {
  if (payload.size() < kRefusalBytes || payload[0] != kRefusalNumber) return std::nullopt;
  const uint32_t code = get_u32(&payload[kOriginBytes]);
  if (code >= std::size(kCodes)) return std::nullopt;
  Refusal refusal{origin_of(payload),
                  fail(kCodes[code], std::string(payload.substr(kRefusalBytes)))};
  refusal.error.retry_after_s = get_u32(&payload[kOriginBytes + 4]);
  return refusal;
}

}  // namespace coracle::store

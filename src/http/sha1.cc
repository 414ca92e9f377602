// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/sha1.h"

#include <array>
#include <bit>
#include <cstdint>

namespace coracle::http {
namespace {

constexpr std::array<uint32_t, 4> kConstants = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

using State = std::array<uint32_t, 5>;

uint32_t big_endian(std::string_view at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++)
    value = value << 8 | static_cast<uint8_t>(at[i]);
  return value;
}

void absorb(State& state, std::string_view block) {
  std::array<uint32_t, 80> w{};
  for (size_t i = 0; i < 16; i++)
    w[i] = big_endian(block.substr(4 * i));
  for (size_t i = 16; i < 80; i++)
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t i = 0; i < 80; i++) {
    const size_t round = i / 20;
    uint32_t f = b ^ c ^ d;
    if (round == 0) f = (b & c) | (~b & d);
    if (round == 2) f = (b & c) | (b & d) | (c & d);
    const uint32_t next = std::rotl(a, 5) + f + e + kConstants[round] + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State sum = {a, b, c, d, e};
  for (size_t i = 0; i < sum.size(); i++)
    state[i] += sum[i];
}

}  // namespace

std::string sha1(std::string_view text) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::string padded(text);
  padded += '\x80';
  padded.resize((padded.size() + 8 + 63) / 64 * 64, '\0');
  const uint64_t bits = uint64_t{text.size()} * 8;
  for (size_t i = 0; i < 8; i++)
    padded[padded.size() - 1 - i] = static_cast<char>(bits >> (8 * i));
  for (size_t at = 0; at < padded.size(); at += 64)
    absorb(state, std::string_view(padded).substr(at, 64));
  std::string digest;
  for (const uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8)
      digest += static_cast<char>(word >> shift);
  }
  return digest;
}

}  // namespace coracle::http

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/join_token.h"

#include <algorithm>

#include "base/bytes.h"
#include "pki/digest.h"
#include "pki/mbedtls.h"

namespace coracle::pki {

namespace {

constexpr std::string_view kForm = "c1";
constexpr size_t kPinBytes = 16;
constexpr size_t kPinLetters = 26;
constexpr size_t kIdLetters = 6;
constexpr size_t kSecretLetters = 16;
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";  // RFC 4648 section 6
constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string base32(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  uint32_t held = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<uint8_t>(c);
    bits += 8;
    for (; bits >= 5; bits -= 5)
      out += kBase32[held >> (bits - 5) & 31];
    held &= 0xff;
  }
  if (bits > 0) out += kBase32[held << (5 - bits) & 31];
  return out;
}

bool consists_of(std::string_view text, std::string_view letters, size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [&](char c) {
           return letters.find(c) != letters.npos;
         });
}

// Even chances for each letter: bytes beyond the last whole multiple are thrown away.
std::string random_letters(size_t count, port::Random& random) {
  constexpr size_t kFair = 256 / kLetters.size() * kLetters.size();
  std::string out;
  while (out.size() < count) {
    char byte = 0;
    random.fill(&byte, 1);
    const size_t value = static_cast<uint8_t>(byte);
    if (value < kFair) out += kLetters[value % kLetters.size()];
  }
  return out;
}

// RFC 2104.
std::string hmac_sha256(std::string_view key, std::string_view text) {
  constexpr size_t kBlock = 64;
  std::string padded = key.size() > kBlock ? sha256(key) : std::string(key);
  padded.resize(kBlock, '\0');
  std::string inner;
  std::string outer;
  for (const char c : padded) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5c);
  }
  return sha256(outer + sha256(inner.append(text)));
}

}  // namespace

std::string JoinToken::text() const {
  if (pin.empty()) return join({id, ".", secret});
  return join({"C1.", pin, ".", id, ".", secret});
}

Result<JoinToken> parse_join_token(std::string_view text) {
  std::string lower(trim(text));  // QR codes carry capitals more densely
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  const std::vector<std::string_view> parts = split(lower, '.');
  const bool with_pin =
      parts.size() == 4 && parts[0] == kForm && consists_of(parts[1], kBase32, kPinLetters);
  const bool sound = (with_pin || parts.size() == 2) &&
                     consists_of(parts[parts.size() - 2], kLetters, kIdLetters) &&
                     consists_of(parts.back(), kLetters, kSecretLetters);
  if (!sound) {
    return fail(Code::kBadRequest,
                "token: not a join token; one looks like C1.<26>.<6>.<16 characters> "
                "(`coracle token create` on a server prints it) or <6>.<16 characters>");
  }
  JoinToken token;
  if (with_pin) token.pin = std::string(parts[1]);
  token.id = std::string(parts[parts.size() - 2]);
  token.secret = std::string(parts.back());
  return token;
}

JoinToken make_join_token(std::string_view authority_pem, port::Random& random) {
  JoinToken token;
  const Result<std::string> pin = authority_pin(authority_pem);
  if (pin) token.pin = *pin;
  token.id = random_letters(kIdLetters, random);
  token.secret = random_letters(kSecretLetters, random);
  return token;
}

Result<std::string> authority_pin(std::string_view authority_pem) {
  Chain chain;
  TRY(parse_certificates(chain, authority_pem));
  return base32(sha256(view(chain.crt.raw)).substr(0, kPinBytes));
}

std::string authority_code(std::string_view authority_pem, std::string_view secret) {
  return hex(hmac_sha256(secret, join({"coracle join 1\n", authority_pem})));
}

}  // namespace coracle::pki

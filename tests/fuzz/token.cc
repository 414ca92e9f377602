// SPDX-License-Identifier: GPL-2.0-or-later
// Nothing but what was signed verifies.
#include "pki/token.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/result.h"
#include "pki/certificate.h"

using namespace coracle;

namespace {

class Counting final : public port::Random {
 public:
  void fill(char* out, size_t bytes) override {
    for (size_t i = 0; i < bytes; i++)
      out[i] = static_cast<char>(++state_ * 2654435761u >> 24);
  }

 private:
  uint32_t state_ = 0;
};

struct Fixture {
  Fixture() {
    Counting random;
    key = *pki::make_key(random);
    token = *pki::sign_token(R"({"sub":"somebody"})", key, random);
  }
  std::string key;
  std::string token;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const Fixture kFixture;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  ASSERT(!pki::verify_token(text, kFixture.key) || text == kFixture.token);
  // The same with a sound beginning: position, then what stands there.
  if (size < 2) return 0;
  std::string spoiled = kFixture.token;
  const size_t at = (size_t{bytes[0]} << 8 | bytes[1]) % spoiled.size();
  spoiled.replace(at, size - 2, text.substr(2));
  const auto claims = pki::verify_token(spoiled, kFixture.key);
  ASSERT(!claims || *claims == R"({"sub":"somebody"})");
  return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pki/digest.h"

#include "pki/mbedtls.h"

namespace coracle::pki {

class Sha256::State {
 public:
  State() {
    mbedtls_sha256_init(&context_);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    const int code = mbedtls_sha256_starts(&context_, 0);
#else
    const int code = mbedtls_sha256_starts_ret(&context_, 0);
#endif
    ASSERT(code == 0);
  }
  ~State() {
    mbedtls_sha256_free(&context_);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void add(std::string_view bytes) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    const int code = mbedtls_sha256_update(&context_, raw(bytes), bytes.size());
#else
    const int code = mbedtls_sha256_update_ret(&context_, raw(bytes), bytes.size());
#endif
    ASSERT(code == 0);
  }

  std::string finish() {
    unsigned char out[32];
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    const int code = mbedtls_sha256_finish(&context_, out);
#else
    const int code = mbedtls_sha256_finish_ret(&context_, out);
#endif
    ASSERT(code == 0);
    return {reinterpret_cast<const char*>(out), sizeof out};
  }

 private:
  mbedtls_sha256_context context_;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
void Sha256::add(std::string_view bytes) {
  state_->add(bytes);
}
std::string Sha256::finish() {
  return state_->finish();
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;  // lengths of digests and tokens are no secret
  volatile unsigned char different = 0;
  for (size_t i = 0; i < a.size(); i++) {
    different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  }
  return different == 0;
}

}  // namespace coracle::pki

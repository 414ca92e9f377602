// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/tls_session.h"

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"
#include "base/ip.h"
#include "http/tls_mbed.h"

namespace coracle::http {
namespace {

using namespace std::string_view_literals;

constexpr auto kCommonName = "\x55\x04\x03"sv;
constexpr auto kOrganization = "\x55\x04\x0a"sv;
constexpr int kSanAddress = 0x87;  // [7] IMPLICIT OCTET STRING
constexpr uint32_t kNoCertificate = MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY;
constexpr uint32_t kTimeFlags = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;

// In the form of rfc3339(), whose texts order as the times do.
std::string text(const mbedtls_x509_time& at) {
  char out[32];
  std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year, at.mon, at.day, at.hour,
                at.min, at.sec);
  return out;
}

uint32_t time_problems(const mbedtls_x509_crt& certificate, const std::string& now) {
  if (now < text(certificate.valid_from)) return MBEDTLS_X509_BADCERT_FUTURE;
  if (now > text(certificate.valid_to)) return MBEDTLS_X509_BADCERT_EXPIRED;
  return 0;
}

// mbedTLS 2.28 compares host names only with DNS names, never with addresses.
bool names_address(const mbedtls_x509_crt& certificate, Ip4 address) {
  for (const auto* each = &certificate.subject_alt_names; each != nullptr; each = each->next) {
    const std::string_view bytes = view(each->buf);
    if (each->buf.tag != kSanAddress || bytes.size() != 4) continue;
    uint32_t value = 0;
    for (char c : bytes)
      value = value << 8 | static_cast<uint8_t>(c);
    if (value == address.value) return true;
  }
  return false;
}

bool is_printable(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

struct TlsTicket::Saved {
  Saved() { mbedtls_ssl_session_init(&session); }
  ~Saved() { mbedtls_ssl_session_free(&session); }
  Saved(const Saved&) = delete;
  Saved& operator=(const Saved&) = delete;
  mbedtls_ssl_session session;
};

TlsTicket::TlsTicket() = default;
TlsTicket::~TlsTicket() = default;

struct TlsSession::Core {
  Core(const TlsSettings& settings, Wall at) : now(rfc3339(at)) {
    mbedtls_ssl_init(&ssl);
    const int code = mbedtls_ssl_setup(&ssl, &settings.config);
    ASSERT(code == 0);  // out of memory
    mbedtls_ssl_set_bio(&ssl, this, put, take, nullptr);
    mbedtls_ssl_set_verify(&ssl, verify, this);
  }
  ~Core() { mbedtls_ssl_free(&ssl); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  static int put(void* self, const unsigned char* bytes, size_t count);
  static int take(void* self, unsigned char* out, size_t room);
  static int verify(void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* problems);
  void fail_with(std::string_view what, int code);
  void check_peer();

  std::shared_ptr<const TlsServerContext> server;
  std::shared_ptr<const TlsClientContext> client;
  mbedtls_ssl_context ssl;
  std::string now;
  std::string kept;  // input of earlier events
  size_t kept_taken = 0;
  std::string_view fresh;  // input of this event
  std::string output;
  std::string why;
  State state = State::kHandshaking;
  bool saw_certificates = false;
};

int TlsSession::Core::put(void* self, const unsigned char* bytes, size_t count) {
  static_cast<Core*>(self)->output.append(reinterpret_cast<const char*>(bytes), count);
  return static_cast<int>(count);
}

int TlsSession::Core::take(void* self, unsigned char* out, size_t room) {
  Core& core = *static_cast<Core*>(self);
  char* to = reinterpret_cast<char*>(out);
  if (core.kept_taken < core.kept.size()) {
    const size_t count = core.kept.copy(to, room, core.kept_taken);
    core.kept_taken += count;
    return static_cast<int>(count);
  }
  if (core.fresh.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const size_t count = core.fresh.copy(to, room);
  core.fresh.remove_prefix(count);
  return static_cast<int>(count);
}

int TlsSession::Core::verify(void* self,
                             mbedtls_x509_crt* certificate,
                             int depth,
                             uint32_t* problems) {
  Core& core = *static_cast<Core*>(self);
  core.saw_certificates = true;
  *problems = (*problems & ~kTimeFlags) | time_problems(*certificate, core.now);
  if (core.client == nullptr || depth != 0) return 0;
  const auto address = parse_ip4(core.client->server_name);
  if (address && !names_address(*certificate, *address)) {
    *problems |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  }
  return 0;
}

void TlsSession::Core::fail_with(std::string_view what, int code) {
  state = State::kFailed;
  why = tls_error(what, code).message;
  const uint32_t problems = mbedtls_ssl_get_verify_result(&ssl);
  if (code != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || problems == UINT32_MAX) return;
  char reasons[256] = "";
  const int length = mbedtls_x509_crt_verify_info(reasons, sizeof reasons, " ", problems);
  if (length > 0) why.append(reasons, static_cast<size_t>(length) - 1);
}

// The server asks for a certificate without insisting; one that is sent must be good. A resumed
// session brings its certificate along, so its times are looked at again.
void TlsSession::Core::check_peer() {
  const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&ssl);
  if (server == nullptr || peer == nullptr) return;
  const uint32_t problems = mbedtls_ssl_get_verify_result(&ssl) | time_problems(*peer, now);
  if ((problems & ~kNoCertificate) == 0) return;
  mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                 MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
  fail_with("client certificate", MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
}

TlsSession::TlsSession(std::shared_ptr<const TlsServerContext> context, Wall now)
    : core_(std::make_unique<Core>(context->settings, now)) {
  core_->server = std::move(context);
}

TlsSession::TlsSession(std::shared_ptr<const TlsClientContext> context,
                       Wall now,
                       const TlsTicket& ticket)
    : core_(std::make_unique<Core>(context->settings, now)) {
  core_->client = std::move(context);
  const std::string& name = core_->client->server_name;
  const char* dns_name = name.empty() || parse_ip4(name) ? nullptr : name.c_str();
  const int code = mbedtls_ssl_set_hostname(&core_->ssl, dns_name);
  if (code != 0) core_->fail_with("server name", code);
  // A refused session only means a full handshake.
  if (ticket.saved_ != nullptr) mbedtls_ssl_set_session(&core_->ssl, &ticket.saved_->session);
}

TlsSession::~TlsSession() = default;

void TlsSession::receive(std::string_view cipher) {
  ASSERT(core_->fresh.empty());
  core_->fresh = cipher;
}

void TlsSession::keep_rest() {
  Core& core = *core_;
  if (core.kept_taken == core.kept.size()) {
    if (core.kept.capacity() > 0) std::string().swap(core.kept);
    core.kept_taken = 0;
  }
  core.kept += core.fresh;
  core.fresh = {};
}

TlsSession::State TlsSession::handshake() {
  Core& core = *core_;
  if (core.state != State::kHandshaking) return core.state;
  const int code = mbedtls_ssl_handshake(&core.ssl);
  if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) return core.state;
  if (code != 0) {
    core.fail_with("tls handshake", code);
    return core.state;
  }
  core.state = State::kOpen;
  core.check_peer();
  return core.state;
}

size_t TlsSession::read(char* out, size_t bytes) {
  Core& core = *core_;
  while (core.state == State::kOpen) {
    const int code = mbedtls_ssl_read(&core.ssl, reinterpret_cast<unsigned char*>(out), bytes);
    if (code > 0) return static_cast<size_t>(code);
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    if (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) continue;
#endif
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) break;
    if (code == 0 || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
      core.state = State::kClosed;
    } else {
      core.fail_with("tls", code);
    }
  }
  return 0;
}

void TlsSession::write(std::string_view plain) {
  Core& core = *core_;
  while (!plain.empty() && core.state == State::kOpen) {
    const int code = mbedtls_ssl_write(&core.ssl, raw(plain), plain.size());
    if (code > 0) {
      plain.remove_prefix(static_cast<size_t>(code));
    } else {
      core.fail_with("tls write", code);  // put() never refuses, so this is not about waiting
    }
  }
}

void TlsSession::close() {
  if (core_->state == State::kOpen) mbedtls_ssl_close_notify(&core_->ssl);
  if (core_->state != State::kFailed) core_->state = State::kClosed;
}

std::string TlsSession::take_output() {
  return std::exchange(core_->output, {});
}
size_t TlsSession::output_bytes() const {
  return core_->output.size();
}
TlsSession::State TlsSession::state() const {
  return core_->state;
}
std::string_view TlsSession::why() const {
  return core_->why;
}

bool TlsSession::chose_http2() const {
  const char* chosen = mbedtls_ssl_get_alpn_protocol(&core_->ssl);
  return chosen != nullptr && chosen == "h2"sv;
}

PeerIdentity TlsSession::peer() const {
  PeerIdentity identity;
  const mbedtls_x509_crt* peer = mbedtls_ssl_get_peer_cert(&core_->ssl);
  if (core_->state != State::kOpen || peer == nullptr) return identity;
  if (mbedtls_ssl_get_verify_result(&core_->ssl) != 0) return identity;
  bool printable = true;
  for (const auto* each = &peer->subject; each != nullptr; each = each->next) {
    const std::string_view value = view(each->val);
    printable = printable && is_printable(value);
    if (view(each->oid) == kCommonName) identity.common_name = value;
    if (view(each->oid) == kOrganization) identity.organizations.emplace_back(value);
  }
  if (!printable) return {};  // names with control characters name nobody
  identity.serial = hex(view(peer->serial));
  identity.verified = true;
  return identity;
}

bool TlsSession::resumed() const {
  return core_->state == State::kOpen && !core_->saw_certificates;
}

void TlsSession::save(TlsTicket& ticket) const {
  auto saved = std::make_unique<TlsTicket::Saved>();
  if (mbedtls_ssl_get_session(&core_->ssl, &saved->session) == 0) ticket.saved_ = std::move(saved);
}

}  // namespace coracle::http

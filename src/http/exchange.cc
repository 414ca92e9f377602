// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/exchange.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr size_t kFieldsMax = 128;
constexpr size_t kFieldOverheadBytes = 32;  // RFC 9113 6.5.2
constexpr size_t kKeptBufferBytes = 4 * 1024;

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both; its struct only lacks the const.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Exchange::Exchange(Connection& connection, nghttp2_session* session, int32_t id)
    : connection_(connection),
      session_(session),
      id_(id),
      began_(connection.clock().now()),
      share_(connection.bodies(), *this) {}

void Exchange::add_header(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + kFieldOverheadBytes;
  if (header_bytes_ > limits::kHeaderBytesMax || request_.headers.size() >= kFieldsMax) {
    refusal_ = {431, "headers too large"};
    request_.headers.clear();
  }
  if (refusal_) return;
  if (name == ":method") {
    request_.method = value;
  } else if (name == ":path") {
    target_ = value;
  } else if (name == ":authority") {
    request_.headers.push_back({"host", std::string(value)});
  } else if (!name.starts_with(':')) {
    request_.headers.push_back({std::string(name), std::string(value)});
  }
}

Refusal Exchange::check_head() {
  if (refusal_) return refusal_;
  if (target_.size() > limits::kRequestLineBytesMax) return {414, "request line too long"};
  if (method_kind(request_.method) != MethodKind::kServed) return {501, "method not implemented"};
  auto target = parse_target(target_);
  if (!target) return {400, "malformed request target"};
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  Framing framing;
  if (const Refusal refusal = read_framing(request_.headers, framing)) return refusal;
  if (framing.length > limits::kBodyBytesMax) return {413, "limit is 3145728"};
  return {};
}

void Exchange::end_head(bool no_body_follows) {
  const Refusal refusal = check_head();
  std::string().swap(target_);
  if (refusal) return refuse(refusal.status, refusal.why);
  if (no_body_follows || !is_same_ignoring_case(request_.header("expect"), "100-continue")) return;
  const nghttp2_nv status = field(":status", "100");
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id_, nullptr, &status, 1, nullptr);
}

void Exchange::add_body(std::string_view bytes) {
  if (phase_ != Phase::kReceiving) return;  // refused: the rest is not wanted
  if (request_.body.size() + bytes.size() > limits::kBodyBytesMax)
    return refuse(413, "limit is 3145728");
  request_.body.append(bytes);
  if (!share_.grow_to(request_.body.size())) refuse(429, "too many large requests");
}

void Exchange::end_body() {
  receiving_refused_ = false;
  if (phase_ != Phase::kReceiving) return;
  phase_ = Phase::kWaiting;
  if (share_.begin_work()) on_room();
}

void Exchange::on_room() {
  phase_ = Phase::kAnswering;
  head_only_ = request_.method == "HEAD";
  request_.peer = connection_.peer();
  request_.peer_address = connection_.peer_address();
  Request whole = std::move(request_);
  connection_.site().on_request(std::move(whole), *this);
}

void Exchange::refuse(int status, std::string_view why) {
  if (phase_ != Phase::kReceiving) return;
  phase_ = Phase::kAnswering;
  receiving_refused_ = true;
  share_.give_back();
  request_ = {};
  answer_refusal(connection_.site(), status, why);
}

void Exchange::start(int status, std::span<const Header> headers) {
  ASSERT(phase_ == Phase::kAnswering);
  const std::string number = std::to_string(status);
  const std::string date = http_date(connection_.clock().wall());
  std::vector<nghttp2_nv> fields = {field(":status", number), field("date", date),
                                    field("x-content-type-options", "nosniff")};
  for (const Header& each : headers) {
    const bool only_http1 =
        each.name == "connection" || each.name == "transfer-encoding" || each.name == "keep-alive";
    if (!only_http1) fields.push_back(field(each.name, each.value));
  }
  has_body_ = has_body(status) && !head_only_;
  nghttp2_data_provider provider;
  provider.source.ptr = this;
  provider.read_callback = read_body;
  nghttp2_submit_response(session_, id_, fields.data(), fields.size(),
                          has_body_ ? &provider : nullptr);
  connection_.stream().wake();
}

void Exchange::write(std::string_view bytes) {
  if (!has_body_ || bytes.empty()) return;
  if (moved_ > 0 && moved_ >= body_.size() / 2) {
    body_.erase(0, moved_);
    moved_ = 0;
  }
  body_.append(bytes);
  above_ = above_ || backlog() >= kDrainBytes;
  resume();
}

void Exchange::finish() {
  ASSERT(phase_ == Phase::kAnswering);
  phase_ = Phase::kFinished;
  share_.give_back();
  if (has_body_) resume();
}

void Exchange::resume() {
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_, id_);
  connection_.stream().wake();
}

// NOLINTNEXTLINE(readability-function-size): the library says what is passed.
ssize_t Exchange::read_body(nghttp2_session*,
                            int32_t,
                            uint8_t*,
                            size_t room,
                            uint32_t* flags,
                            nghttp2_data_source* source,
                            void*) {
  Exchange& self = *static_cast<Exchange*>(source->ptr);
  const size_t bytes = std::min(room, self.backlog());
  const bool last = self.phase_ == Phase::kFinished && bytes == self.backlog();
  if (bytes == 0 && !last) {
    self.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

void Exchange::move_body_to(SecureStream& stream, size_t bytes) {
  stream.write(std::string_view(body_).substr(moved_, bytes));
  moved_ += bytes;
  if (moved_ < body_.size()) return;
  moved_ = 0;
  body_.clear();
  if (body_.capacity() > kKeptBufferBytes) std::string().swap(body_);
}

void Exchange::tell_drained() {
  if (phase_ != Phase::kAnswering || backlog() > 0 || !std::exchange(above_, false)) return;
  connection_.site().on_drained(*this);
}

void Exchange::tell_gone() {
  share_.give_back();
  if (std::exchange(phase_, Phase::kFinished) == Phase::kAnswering)
    connection_.site().on_gone(*this);
}

}  // namespace coracle::http

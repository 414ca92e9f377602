// SPDX-License-Identifier: GPL-2.0-or-later
// One stream of an HTTP/2 connection: a request on its way in, then its answer on the way out.
// Lives until nghttp2 closes the stream, which may be long after the Site finished the answer.
#pragma once

#include <string>

#include <nghttp2/nghttp2.h>

#include "http/connection.h"
#include "http/head.h"

namespace coracle::http {

class Exchange final : public Response, private BodyBudget::Listener {
 public:
  Exchange(Connection& connection, nghttp2_session* session, int32_t id);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  int32_t id() const { return id_; }
  Mono began() const { return began_; }
  bool is_receiving() const { return phase_ == Phase::kReceiving || receiving_refused_; }

  void add_header(std::string_view name, std::string_view value);
  void end_head(bool no_body_follows);
  void add_body(std::string_view bytes);
  void end_body();
  void tell_drained();
  void tell_gone();
  void move_body_to(SecureStream& stream, size_t bytes);

  void start(int status, std::span<const Header> headers) override;
  void write(std::string_view bytes) override;
  void finish() override;
  size_t backlog() const override { return body_.size() - moved_; }
  void vouch() override { connection_.vouch(); }

 private:
  enum class Phase : uint8_t { kReceiving, kWaiting, kAnswering, kFinished };
  static ssize_t read_body(nghttp2_session*,
                           int32_t,
                           uint8_t*,
                           size_t room,
                           uint32_t* flags,
                           nghttp2_data_source* source,
                           void*);
  void refuse(int status, std::string_view why);
  void on_room() override;
  Refusal check_head();
  void resume();

  Connection& connection_;
  nghttp2_session* session_;
  const int32_t id_;
  const Mono began_;
  BodyBudget::Share share_;
  Phase phase_ = Phase::kReceiving;
  bool receiving_refused_ = false;  // answered although the request goes on
  Request request_;
  std::string target_;
  Refusal refusal_;
  size_t header_bytes_ = 0;
  std::string body_;  // of the answer
  size_t moved_ = 0;  // of body_
  bool has_body_ = true;
  bool head_only_ = false;
  bool deferred_ = false;
  bool above_ = false;
};

}  // namespace coracle::http

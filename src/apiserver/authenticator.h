// SPDX-License-Identifier: GPL-2.0-or-later
// Who is asking: client certificate, then bearer token, then (for health and version only) nobody.
#pragma once

#include "apiserver/request.h"
#include "apiserver/tokens.h"
#include "base/result.h"

namespace coracle::apiserver {

class Authenticator {
 public:
  explicit Authenticator(Tokens& tokens) : tokens_(tokens) {}
  // Sets request.user; 401 otherwise.
  Result<> authenticate(Request& request);
  // Applies Impersonate-* headers; the caller has checked that the user may.
  static bool wants_impersonation(const Request& request);
  static Result<> impersonate(Request& request);

 private:
  Tokens& tokens_;
};

bool is_public_path(std::string_view path);  // /livez, /readyz, /healthz (and below), /version

}  // namespace coracle::apiserver

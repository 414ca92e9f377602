// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/authenticator.h"

#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kAuthenticated = "system:authenticated";

std::string_view bearer_of(std::string_view header) {
  constexpr std::string_view kBearer = "bearer ";
  if (header.size() <= kBearer.size()) return {};
  for (size_t at = 0; at < kBearer.size(); ++at) {
    const char c = header[at];
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (low != kBearer[at]) return {};
  }
  return trim(header.substr(kBearer.size()));
}

bool below(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return false;
  return path.size() == root.size() || path[root.size()] == '/';
}

}  // namespace

bool is_public_path(std::string_view path) {
  return below(path, "/livez") || below(path, "/readyz") || below(path, "/healthz") ||
         path == "/version" || path == "/version/";
}

Result<> Authenticator::authenticate(Request& request) {
  User& user = request.user;
  const http::PeerIdentity& peer = request.http.peer;
  if (peer.verified && !peer.common_name.empty()) {
    user.name = peer.common_name;
    user.groups = peer.organizations;
    user.groups.emplace_back(kAuthenticated);
    return {};
  }
  const std::string_view credentials = request.http.header("authorization");
  if (!credentials.empty()) {
    const std::string_view token = bearer_of(credentials);
    if (token.empty()) return fail(Code::kUnauthorized, "Unauthorized");
    user = TRY(tokens_.verify(token, {})).user;
    return {};
  }
  if (!is_public_path(request.http.path)) return fail(Code::kUnauthorized, "Unauthorized");
  user.name = "system:anonymous";
  user.groups = {"system:unauthenticated"};
  return {};
}

bool Authenticator::wants_impersonation(const Request& request) {
  for (const http::Header& header : request.http.headers) {
    if (header.name.starts_with("impersonate-")) return true;
  }
  return false;
}

// apiserver pkg/endpoints/filters/impersonation.go
Result<> Authenticator::impersonate(Request& request) {
  User user;
  for (const http::Header& header : request.http.headers) {
    if (header.name == "impersonate-user") user.name = header.value;
    if (header.name == "impersonate-group") user.groups.push_back(header.value);
    if (header.name == "impersonate-uid") user.uid = header.value;
    constexpr std::string_view kExtra = "impersonate-extra-";
    if (header.name.starts_with(kExtra)) {
      user.extra.emplace_back(header.name.substr(kExtra.size()), header.value);
    }
  }
  if (user.name.empty()) {
    return fail(Code::kBadRequest,
                "requested impersonation of groups, uid or extra without impersonating a user");
  }
  const std::vector<std::string_view> parts = split(user.name, ':');
  if (parts.size() == 4 && parts[0] == "system" && parts[1] == "serviceaccount" &&
      user.groups.empty()) {
    user.groups = {"system:serviceaccounts", join({"system:serviceaccounts:", parts[2]})};
  }
  if (!user.in(kAuthenticated) && user.name != "system:anonymous") {
    user.groups.emplace_back(kAuthenticated);
  }
  request.user = std::move(user);
  return {};
}

}  // namespace coracle::apiserver

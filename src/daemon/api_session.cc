// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/api_session.h"

#include "base/bytes.h"
#include "json/tree.h"

namespace coracle::daemon {

namespace {

constexpr Duration kPatience = seconds(10);
constexpr size_t kAnswerBytesMax = 64 * 1024 * 1024;

Result<std::string> inline_pem(json::Node holder, std::string_view name) {
  auto pem = from_base64(holder[name].string());
  if (!pem || pem->empty()) return fail(Code::kBadRequest, join({"kubeconfig: no ", name}));
  return std::move(*pem);
}

Result<port::Endpoint> server_endpoint(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme))
    return fail(Code::kBadRequest, "kubeconfig: server is not an https:// URL");
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  const size_t colon = url.rfind(':');
  const auto port = colon == std::string_view::npos ? std::optional<uint64_t>(443)
                                                    : parse_unsigned(url.substr(colon + 1));
  if (!port || *port > 65535)
    return fail(Code::kBadRequest, "kubeconfig: bad port in the server's URL");
  return port::Endpoint{std::string(url.substr(0, colon)), static_cast<uint16_t>(*port)};
}

}  // namespace

Result<std::unique_ptr<ApiSession>> ApiSession::open(port_linux::Machine& machine,
                                                     const std::string& kubeconfig_path) {
  const std::string text = TRY(machine.disk().read_file(kubeconfig_path));
  json::Tree tree;
  const json::Node root = TRY(tree.parse_yaml(text).with(kubeconfig_path));
  const json::Node cluster = root["clusters"].at(0)["cluster"];
  const json::Node user = root["users"].at(0)["user"];
  const port::Endpoint server = TRY(server_endpoint(cluster["server"].string()));
  http::TlsClientOptions options;
  options.ca_pem = TRY(inline_pem(cluster, "certificate-authority-data"));
  options.certificate_pem = TRY(inline_pem(user, "client-certificate-data"));
  options.key_pem = TRY(inline_pem(user, "client-key-data"));
  options.server_name = server.host;
  return open(machine, server, options);
}

Result<std::unique_ptr<ApiSession>> ApiSession::open(port_linux::Machine& machine,
                                                     const port::Endpoint& server,
                                                     const http::TlsClientOptions& options) {
  auto tls = TRY(http::make_tls_client(options, machine.random()));
  std::unique_ptr<ApiSession> session(new ApiSession(machine));
  session->host_ = join({server.host, ":", std::to_string(server.port)});
  session->client_ =
      std::make_unique<http::Client>(machine.clock(), machine.network(), server, std::move(tls));
  return session;
}

Result<std::string> ApiSession::get(const std::string& path,
                                    const std::string& query,
                                    const std::string& accept) {
  http::Request request;
  request.method = "GET";
  request.path = path;
  request.query = query;
  request.headers = {{"accept", accept}};
  return ask(request);
}

Result<std::string> ApiSession::ask(const http::Request& request) {
  status_ = 0;
  body_.clear();
  failure_.clear();
  const auto timer = machine_.clock().timer(*this);
  timer->arm(machine_.clock().now() + kPatience);
  client_->send(request, *this);
  machine_.run();
  if (!failure_.empty())
    return fail(Code::kUnavailable, join({"the server at ", host_, " did not answer: ", failure_}));
  if (status_ >= 200 && status_ <= 299) return body_;
  json::Tree tree;
  const auto status = tree.parse(body_);
  const std::string_view message = status ? (*status)["message"].string() : std::string_view();
  return fail(Code::kUnavailable,
              join({"the server said ", std::to_string(status_), " ", message}));
}

void ApiSession::on_head(int status, const std::vector<http::Header>&) {
  status_ = status;
}

void ApiSession::on_body(std::string_view bytes) {
  if (body_.size() + bytes.size() <= kAnswerBytesMax) {
    body_ += bytes;
    return;
  }
  on_failed("the answer is too large");
}

void ApiSession::on_end() {
  machine_.stop();
}

void ApiSession::on_failed(std::string_view why) {
  failure_ = std::string(why);
  machine_.stop();
}

void ApiSession::on_alarm(port::Timer&) {
  client_->close();
  on_failed("no answer within 10 s");
}

}  // namespace coracle::daemon

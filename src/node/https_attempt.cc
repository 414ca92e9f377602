// SPDX-License-Identifier: GPL-2.0-or-later
// A GET over TLS. Nobody's certificate is checked, as upstream: a probe tells no secrets.
#include <utility>

#include "base/bytes.h"
#include "http/client.h"
#include "node/late_attempt.h"

namespace coracle::node {

namespace {

class HttpsAttempt final : public LateAttempt, http::ClientEvents {
 public:
  HttpsAttempt(const AttemptPlace& place, const Deed& deed, Duration timeout, Done& done)
      : LateAttempt(place.clock, timeout, done),
        url_(deed.url) {
    http::TlsClientOptions options;
    options.server_name = deed.endpoint.host;
    options.unverified = true;
    auto tls = http::make_tls_client(options, place.random);
    if (tls)
      ask(place, deed, *tls);
    else
      finish(false, tls.error().message);
  }

 private:
  void ask(const AttemptPlace& place,
           const Deed& deed,
           std::shared_ptr<const http::TlsClientContext> tls) {
    client_ =
        std::make_unique<http::Client>(place.clock, place.network, deed.endpoint, std::move(tls));
    http::Request request;
    request.method = "GET";
    const size_t query = deed.path.find('?');
    request.path = deed.path.substr(0, query);
    if (query != std::string::npos) request.query = deed.path.substr(query + 1);
    for (const auto& [name, value] : deed.headers) {
      std::string lower = name;
      for (char& c : lower)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      request.headers.push_back({std::move(lower), value});
    }
    http::ClientEvents& events = *this;
    client_->send(request, events);
  }
  void on_head(int status, const std::vector<http::Header>&) override {
    if (is_healthy(static_cast<uint64_t>(status))) return finish(true, {});
    finish(false, join({"HTTP probe failed with statuscode: ", std::to_string(status)}));
  }
  void on_body(std::string_view) override {}
  void on_end() override {}
  void on_failed(std::string_view why) override {
    finish(false, join({"Get \"", url_, "\": ", why}));
  }
  void on_alarm(port::Timer&) override {
    finish(
        false,
        join({"Get \"", url_,
              "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"}));
  }

  const std::string url_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace

std::unique_ptr<Attempt> https_attempt(const AttemptPlace& place,
                                       const Deed& deed,
                                       Duration timeout,
                                       Attempt::Done& done) {
  return std::make_unique<HttpsAttempt>(place, deed, timeout, done);
}

}  // namespace coracle::node

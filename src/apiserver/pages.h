// SPDX-License-Identifier: GPL-2.0-or-later
// What is served beside objects: discovery, OpenAPI, version, health.
#pragma once

#include <string>
#include <string_view>

#include "api/discovery.h"
#include "apiserver/exchange.h"
#include "port/clock.h"
#include "store/store.h"

namespace coracle::apiserver {

class Pages {
 public:
  Pages(const ServerOptions& options, store::Store& store) : options_(options), store_(store) {}
  Result<Next> answer(Exchange& exchange);
  void set_ready(bool ready) { ready_ = ready; }
  bool ready() const { return ready_; }
  void forget() { documents_.forget(); }  // what is served has changed

 private:
  Reply document(const Request& request,
                 const api::ServedDocument* document,
                 std::string_view content_type = "application/json");
  Reply version() const;
  Reply health(const Request& request, std::string_view root) const;
  Reply discovery(const Request& request);
  Reply openapi(const Request& request);

  const ServerOptions& options_;
  store::Store& store_;
  api::Documents documents_;
  bool ready_ = false;
};

}  // namespace coracle::apiserver

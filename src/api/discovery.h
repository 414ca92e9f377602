// SPDX-License-Identifier: GPL-2.0-or-later
// Documents derived from the kind table: legacy and aggregated discovery, OpenAPI v3. Every
// document has a hash for ETags. (Of v2 the API server has what old kubectls insist on; all then
// use the merge keys that they were compiled with.)
//
// Discovery is built when first asked for and kept (some 20 KB). OpenAPI documents are large and
// rarely read: only the last one is kept, until another is asked for or forget_openapi() is called.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::api {

struct ServedDocument {
  std::string body;
  std::string hash;  // hex, changes with the body
};

// Owned by the API server. Kinds that are served but not stored (reviews, token requests...) are in
// the documents too.
class Documents {
 public:
  Documents();
  ~Documents();
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;

  const ServedDocument& legacy_api_versions(std::string_view server_address);  // /api
  const ServedDocument& legacy_groups();                                       // /apis
  const ServedDocument* legacy_group(std::string_view group);  // /apis/G; null if not served
  const ServedDocument* legacy_resources(
      std::string_view group, std::string_view v);  // /api/v1, /apis/G/V; null if not served
  const ServedDocument& aggregated(bool core);      // /api or /apis as apidiscovery.k8s.io/v2
  const ServedDocument& openapi_v3_index();         // /openapi/v3
  const ServedDocument* openapi_v3(std::string_view group,
                                   std::string_view v);  // /openapi/v3/api/v1, /openapi/v3/apis/G/V
  void forget_openapi();
  void forget();  // all: the kinds that are served have changed

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace coracle::api

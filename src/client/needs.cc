// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/needs.h"

#include "api/claims.h"

namespace coracle::client {

namespace {

class Collector {
 public:
  Collector(std::string_view ns, std::set<api::Key>& needs) : ns_(ns), needs_(needs) {}

  void volume(json::Node source) {
    add(api::kSecret, source["secret"]["secretName"]);
    add(api::kSecret, source["secret"]["name"]);  // as a projected source
    add(api::kConfigMap, source["configMap"]["name"]);
    for (const json::Node projected : source["projected"]["sources"]) {
      add(api::kSecret, projected["secret"]["name"]);
      add(api::kConfigMap, projected["configMap"]["name"]);
    }
  }
  void container(json::Node container) {
    for (const json::Node source : container["envFrom"]) {
      add(api::kSecret, source["secretRef"]["name"]);
      add(api::kConfigMap, source["configMapRef"]["name"]);
    }
    for (const json::Node variable : container["env"]) {
      add(api::kSecret, variable["valueFrom"]["secretKeyRef"]["name"]);
      add(api::kConfigMap, variable["valueFrom"]["configMapKeyRef"]["name"]);
    }
  }
  void claim(const std::string& name) { needs_.insert({&api::kPersistentVolumeClaim, ns_, name}); }
  void add(const api::Kind& kind, json::Node name) {
    if (!name.string().empty()) needs_.insert({&kind, ns_, std::string(name.string())});
  }

 private:
  std::string ns_;
  std::set<api::Key>& needs_;
};

}  // namespace

void add_needs(json::Node pod, std::set<api::Key>& needs) {
  const json::Node spec = pod["spec"];
  Collector collector(pod["metadata"]["namespace"].string(), needs);
  for (const json::Node volume : spec["volumes"])
    collector.volume(volume);
  for (const std::string& claim : api::claims_of(pod))
    collector.claim(claim);
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const json::Node container : spec[list])
      collector.container(container);
  }
  for (const json::Node pull : spec["imagePullSecrets"])
    collector.add(api::kSecret, pull["name"]);
}

}  // namespace coracle::client

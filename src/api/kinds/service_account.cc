// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kServiceAccountFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    list("secrets", 2, kObjectReference)
        .keyed_by("name")
        .about("Secrets that Pods of this account may use when enforcement is asked for by "
               "annotation."),
    list("imagePullSecrets", 3, kLocalObjectReference)
        .about("Secrets that Pods of this account pull images with."),
    boolean("automountServiceAccountToken", 4)
        .about("Whether Pods get a token of this account mounted; a Pod may override it."),
};
constexpr Message kServiceAccountMessage{
    "io.k8s.api.core.v1.ServiceAccount", kServiceAccountFields,
    "ServiceAccount is an identity for processes that run in Pods."};

constexpr Column kColumns[] = {kAgeColumn};

// Of a reference to a secret only the name is kept (registry/core/serviceaccount, strategy.go).
void prepare(json::Node object, json::Node) {
  for (json::Node secret : object["secrets"]) {
    const std::string name(secret["name"].string());
    secret.clear();
    if (!name.empty()) secret.set("name", name);
  }
}

}  // namespace

constinit const Kind kServiceAccount{.group = "",
                                     .version = "v1",
                                     .name = "ServiceAccount",
                                     .plural = "serviceaccounts",
                                     .singular = "serviceaccount",
                                     .short_names = "sa",
                                     .message = &kServiceAccountMessage,
                                     .columns = kColumns,
                                     .subresources = bit(Subresource::kToken),
                                     .prepare = prepare};

}  // namespace coracle::api

// SPDX-License-Identifier: GPL-2.0-or-later
// Volumes and mounts (kubernetes pkg/apis/core/validation, ValidateVolumes, ValidateVolumeMounts).
#include "api/kinds/checks.h"
#include "api/kinds/claim.h"
#include "api/kinds/data.h"
#include "api/kinds/pod_validation.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr int64_t kTokenSecondsMin = 600;
constexpr int64_t kTokenSecondsMax = int64_t{1} << 32;

bool has_backsteps(std::string_view path) {
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return true;
  }
  return false;
}

// A path that stays inside the volume.
void check_local_path(json::Node value, std::string_view path, Errors& errors) {
  if (value.string().starts_with('/')) errors.invalid(path, value, "must be a relative path");
  if (has_backsteps(value.string())) errors.invalid(path, value, "must not contain '..'");
}

// ".." also names the links that swap the files of a volume atomically.
void check_file_path(json::Node value, std::string_view path, Errors& errors) {
  check_local_path(value, path, errors);
  if (value.string().starts_with("..") && !has_backsteps(value.string()))
    errors.invalid(path, value, "must not start with '..'");
}

void check_items(json::Node items, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node entry : items)
    check_file_path(entry["path"], field(item(path, index++), "path"), errors);
}

void check_downward_items(json::Node items, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node entry : items) {
    const std::string at = item(path, index++);
    check_file_path(entry["path"], field(at, "path"), errors);
    const Choice choice = count_choices(entry, "fieldRef|resourceFieldRef");
    if (choice == Choice::kNone)
      errors.required(at, "one of fieldRef and resourceFieldRef is required");
    if (choice == Choice::kMany)
      errors.invalid(at, "resource",
                     "fieldRef and resourceFieldRef can not be specified simultaneously");
    if (entry["fieldRef"]) check_field_ref(entry["fieldRef"], field(at, "fieldRef"), true, errors);
    if (entry["resourceFieldRef"])
      check_resource_ref(entry["resourceFieldRef"], field(at, "resourceFieldRef"), true, errors);
  }
}

void check_token(json::Node token, std::string_view path, Errors& errors) {
  const json::Node seconds = token["expirationSeconds"];
  if (seconds.integer() < kTokenSecondsMin)
    errors.invalid(field(path, "expirationSeconds"), seconds,
                   "may not specify a duration less than 10 minutes");
  if (seconds.integer() > kTokenSecondsMax)
    errors.invalid(field(path, "expirationSeconds"), seconds,
                   "may not specify a duration larger than 2^32 seconds");
  check_file_path(token["path"], field(path, "path"), errors);
}

void check_projections(json::Node projected, std::string_view path, Errors& errors) {
  size_t index = 0;
  for (json::Node source : projected["sources"]) {
    const std::string at = item(field(path, "sources"), index++);
    if (count_choices(source,
                      "secret|downwardAPI|configMap|serviceAccountToken|clusterTrustBundle|"
                      "podCertificate") == Choice::kMany)
      errors.forbidden(at, "may not specify more than 1 volume type per source");
    for (std::string_view kind : {"secret", "configMap"}) {
      if (!source[kind]) continue;
      if (source[kind]["name"].string().empty()) errors.required(field(field(at, kind), "name"));
      check_items(source[kind]["items"], field(field(at, kind), "items"), errors);
    }
    check_downward_items(source["downwardAPI"]["items"], field(at, "downwardAPI.items"), errors);
    if (source["serviceAccountToken"])
      check_token(source["serviceAccountToken"], field(at, "serviceAccountToken"), errors);
  }
}

void check_empty_dir(json::Node source, std::string_view path, Errors& errors) {
  const json::Node medium = source["medium"];
  const std::string_view name = medium.string();
  if (name == "HugePages" || name.starts_with("HugePages-")) {
    refuse(field(path, "medium"), errors);
  } else if (!name.empty() && name != "Memory") {
    errors.not_supported(field(path, "medium"), medium, "|Memory");
  }
  if (source["sizeLimit"].string().starts_with('-'))
    errors.forbidden(field(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

void check_ephemeral(json::Node source, std::string_view path, Errors& errors) {
  const json::Node claim = source["volumeClaimTemplate"];
  const std::string at = field(path, "volumeClaimTemplate");
  if (!claim) return errors.required(at);
  check_claim_spec(claim["spec"], field(at, "spec"), errors);
}

void check_source(json::Node volume, std::string_view path, Errors& errors) {
  if (volume["emptyDir"]) check_empty_dir(volume["emptyDir"], field(path, "emptyDir"), errors);
  const json::Node host = volume["hostPath"]["path"];
  if (has_backsteps(host.string()))
    errors.invalid(field(path, "hostPath.path"), host, "must not contain '..'");
  if (volume["secret"] && volume["secret"]["secretName"].string().empty())
    errors.required(field(path, "secret.secretName"));
  check_items(volume["secret"]["items"], field(path, "secret.items"), errors);
  if (volume["configMap"] && volume["configMap"]["name"].string().empty())
    errors.required(field(path, "configMap.name"));
  check_items(volume["configMap"]["items"], field(path, "configMap.items"), errors);
  check_downward_items(volume["downwardAPI"]["items"], field(path, "downwardAPI.items"), errors);
  check_projections(volume["projected"], field(path, "projected"), errors);
  const json::Node claim = volume["persistentVolumeClaim"];
  if (claim && claim["claimName"].string().empty())
    errors.required(field(path, "persistentVolumeClaim.claimName"));
  if (volume["ephemeral"]) check_ephemeral(volume["ephemeral"], field(path, "ephemeral"), errors);
}

bool is_mountable(json::Node mount) {
  const std::string_view mode = mount["recursiveReadOnly"].string();
  return mode.empty() || mode == "Disabled" || mode == "IfPossible";
}

void check_mount(json::Node container, json::Node mount, std::string_view path, Errors& errors) {
  if (says_something(mount["subPath"])) {
    check_local_path(mount["subPath"], field(path, "subPath"), errors);
    if (says_something(mount["subPathExpr"]))
      errors.invalid(field(path, "subPathExpr"), mount["subPathExpr"],
                     "subPathExpr and subPath are mutually exclusive");
  }
  check_local_path(mount["subPathExpr"], field(path, "subPathExpr"), errors);
  const bool privileged = container["securityContext"]["privileged"].boolean();
  if (mount["mountPropagation"].string() == "Bidirectional" && !privileged)
    errors.forbidden(field(path, "mountPropagation"),
                     "Bidirectional mount propagation is available only to privileged containers");
  if (!is_mountable(mount)) refuse(field(path, "recursiveReadOnly"), errors);
}

}  // namespace

void check_volumes(json::Node volumes, std::string_view path, PodRules& rules, Errors& errors) {
  size_t index = 0;
  for (json::Node volume : volumes) {
    const std::string at = item(path, index++);
    const json::Node name = volume["name"];
    if (!name.string().empty()) check_label_name(name, field(at, "name"), errors);
    rules.volumes.insert(name.string());
    if (volume.size() > 2) errors.forbidden(at, "may not specify more than 1 volume type");
    check_source(volume, at, errors);
  }
}

void check_volume_mounts(json::Node container,
                         std::string_view path,
                         const PodRules& rules,
                         Errors& errors) {
  std::set<std::string_view> seen;
  size_t index = 0;
  for (json::Node mount : container["volumeMounts"]) {
    const std::string at = item(path, index++);
    const json::Node name = mount["name"];
    if (!name.string().empty() && !rules.volumes.contains(name.string()))
      errors.not_found(field(at, "name"), name.string());
    const json::Node target = mount["mountPath"];
    if (!target.string().empty() && !seen.insert(target.string()).second)
      errors.invalid(field(at, "mountPath"), target, "must be unique");
    check_mount(container, mount, at, errors);
  }
}

}  // namespace coracle::api

// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/metadata.h"

#include <algorithm>
#include <vector>

#include "api/processing.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace coracle::api {
namespace {

constexpr std::string_view kImmutable = "field is immutable";

std::string path_segment_problem(std::string_view name) {
  if (name == "." || name == "..") return join({"may not be '", name, "'"});
  std::string problem;
  // Beyond upstream: names are compared inside stored text, so none may need an escape there.
  for (std::string_view bad : {"/", "%", "\"", "\\", "<", ">", "&"}) {
    if (name.find(bad) == std::string_view::npos) continue;
    if (!problem.empty()) problem += "; ";
    problem += join({"may not contain '", bad, "'"});
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20) return "may not contain control characters";
  }
  return problem;
}

std::string name_problem(NameRule rule, std::string_view name) {
  switch (rule) {
    case NameRule::kSubdomain:
      return dns1123_subdomain_problem(name);
    case NameRule::kLabel:
      return dns1123_label_problem(name);
    case NameRule::kDns1035Label:
      return dns1035_label_problem(name);
    case NameRule::kPathSegment:
      return path_segment_problem(name);
  }
  return {};
}

void validate_names(const Kind& kind, json::Node metadata, Errors& errors) {
  const std::string_view name = metadata["name"].string();
  const std::string_view base = metadata["generateName"].string();
  if (!base.empty()) {
    // A trailing dash is fine: characters follow it.
    std::string masked(base);
    if (masked.size() > 1 && masked.back() == '-') masked.back() = 'a';
    const std::string problem = name_problem(kind.name_rule, masked);
    if (!problem.empty()) errors.invalid("metadata.generateName", base, problem);
  }
  if (name.empty()) {
    errors.required("metadata.name", "name or generateName is required");
  } else {
    const std::string problem = name_problem(kind.name_rule, name);
    if (!problem.empty()) errors.invalid("metadata.name", name, problem);
  }
}

void validate_namespace(const Kind& kind, json::Node metadata, Errors& errors) {
  const std::string_view ns = metadata["namespace"].string();
  if (!kind.namespaced) {
    if (!ns.empty()) errors.forbidden("metadata.namespace", "not allowed on this type");
    return;
  }
  if (ns.empty()) return errors.required("metadata.namespace");
  const std::string problem = dns1123_label_problem(ns);
  if (!problem.empty()) errors.invalid("metadata.namespace", ns, problem);
}

void validate_labels(json::Node labels, Errors& errors) {
  for (json::Node label : labels) {
    const std::string key = label_key_problem(label.key());
    if (!key.empty()) errors.invalid("metadata.labels", label.key(), key);
    const std::string value = label_value_problem(label.string());
    if (!value.empty()) errors.invalid("metadata.labels", label.string(), value);
  }
}

void validate_annotations(json::Node annotations, Errors& errors) {
  size_t bytes = 0;
  for (json::Node annotation : annotations) {
    // Upper case is allowed in the prefix here, unlike in labels.
    std::string key(annotation.key());
    for (char& c : key)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string problem = label_key_problem(key);
    if (!problem.empty()) errors.invalid("metadata.annotations", annotation.key(), problem);
    bytes += annotation.key().size() + annotation.string().size();
  }
  if (bytes > limits::kAnnotationsBytesMax)
    errors.too_long("metadata.annotations", limits::kAnnotationsBytesMax);
}

void validate_finalizers(json::Node finalizers, Errors& errors) {
  bool orphan = false;
  bool foreground = false;
  for (json::Node finalizer : finalizers) {
    const std::string_view name = finalizer.string();
    const std::string problem = label_key_problem(name);
    if (!problem.empty()) errors.invalid("metadata.finalizers", name, problem);
    orphan = orphan || name == "orphan";
    foreground = foreground || name == "foregroundDeletion";
  }
  if (orphan && foreground) {
    errors.invalid("metadata.finalizers", finalizers,
                   "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

void validate_owners(json::Node owners, Errors& errors) {
  std::string_view controller;
  for (json::Node owner : owners) {
    if (owner["kind"].string() == "Event" && owner["apiVersion"].string() == "v1") {
      errors.invalid("metadata.ownerReferences", owner,
                     "/v1, Kind=Event is disallowed from being an owner");
    }
    if (!owner["controller"].boolean()) continue;
    const std::string_view name = owner["name"].string();
    if (!controller.empty()) {
      errors.invalid("metadata.ownerReferences", owners,
                     join({"Only one reference can have Controller set to true. Found \"true\" in "
                           "references for ",
                           controller, " and ", name}));
    }
    controller = name;
  }
}

void keep(json::Node metadata, json::Node old, std::string_view name) {
  if (old[name]) metadata.set(name, old[name]);
}

void immutable(json::Node metadata, json::Node old, std::string_view name, Errors& errors) {
  if (json::equal(metadata[name], old[name])) return;
  errors.invalid(field("metadata", name), metadata[name], kImmutable);
}

void validate_new_finalizers(json::Node metadata, json::Node old, Errors& errors) {
  std::vector<std::string_view> known;
  for (json::Node finalizer : old["finalizers"])
    known.push_back(finalizer.string());
  std::sort(known.begin(), known.end());
  std::string added;
  for (json::Node finalizer : metadata["finalizers"]) {
    if (std::binary_search(known.begin(), known.end(), finalizer.string())) continue;
    if (!added.empty()) added += ", ";
    added += join({"\"", finalizer.string(), "\""});
  }
  if (added.empty()) return;
  errors.forbidden(
      "metadata.finalizers",
      join({"no new finalizers can be added if the object is being deleted, found new finalizers "
            "[]string{",
            added, "}"}));
}

}  // namespace

void validate_metadata(const Kind& kind, json::Node metadata, Errors& errors) {
  validate_names(kind, metadata, errors);
  validate_namespace(kind, metadata, errors);
  if (metadata["generation"].integer() < 0) {
    errors.invalid("metadata.generation", metadata["generation"],
                   "must be greater than or equal to 0");
  }
  validate_labels(metadata["labels"], errors);
  validate_annotations(metadata["annotations"], errors);
  validate_owners(metadata["ownerReferences"], errors);
  validate_finalizers(metadata["finalizers"], errors);
}

void validate_metadata_update(json::Node metadata, json::Node old, Errors& errors) {
  if (metadata["uid"].string().empty()) keep(metadata, old, "uid");
  keep(metadata, old, "creationTimestamp");
  keep(metadata, old, "deletionTimestamp");
  if (!metadata["deletionGracePeriodSeconds"]) keep(metadata, old, "deletionGracePeriodSeconds");
  if (old["deletionTimestamp"]) validate_new_finalizers(metadata, old, errors);
  if (metadata["generation"].integer() < old["generation"].integer()) {
    errors.invalid("metadata.generation", metadata["generation"], "must not be decremented");
  }
  for (std::string_view name : {"name", "namespace", "uid", "creationTimestamp",
                                "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    immutable(metadata, old, name, errors);
  }
}

}  // namespace coracle::api

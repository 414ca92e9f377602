// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/custom_resources.h"

#include "api/custom_kinds.h"
#include "api/processing.h"
#include "apiserver/pages.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kFinalizer = "customresourcecleanup.apiextensions.k8s.io";

std::string joined(json::Node list) {
  std::string text;
  for (const json::Node each : list) {
    if (!text.empty()) text += ",";
    text += each.string();
  }
  return text;
}

std::string below(std::string_view path) {
  return std::string(path.starts_with(".") ? path.substr(1) : path);
}

bool is_established(json::Node definition) {
  for (const json::Node condition : definition["status"]["conditions"]) {
    if (condition["type"].string() == "Established") return condition["status"].string() == "True";
  }
  return false;
}

void read_columns(json::Node version, std::vector<api::CustomColumn>& columns) {
  columns.clear();
  for (const json::Node column : version["additionalPrinterColumns"]) {
    columns.push_back({std::string(column["name"].string()), std::string(column["type"].string()),
                       std::string(column["format"].string()),
                       std::string(column["description"].string()),
                       std::string(column["jsonPath"].string()), column["priority"].integer() > 0});
  }
}

void read_subresources(json::Node version, api::CustomKind& kind) {
  const json::Node scale = version["subresources"]["scale"];
  kind.has_status = static_cast<bool>(version["subresources"]["status"]);
  kind.subresources = (kind.has_status ? api::bit(api::Subresource::kStatus) : 0) |
                      (scale ? api::bit(api::Subresource::kScale) : 0);
  kind.replicas_path = below(scale["specReplicasPath"].string());
  kind.status_replicas_path = below(scale["statusReplicasPath"].string());
  kind.selector_path = below(scale["labelSelectorPath"].string());
  kind.scale = {kind.replicas_path, kind.status_replicas_path, kind.selector_path};
}

void read_version(json::Node spec, json::Node version, api::CustomKind& kind) {
  const json::Node names = spec["names"];
  kind.singular_text = names["singular"].string();
  kind.short_names_text = joined(names["shortNames"]);
  kind.categories_text = joined(names["categories"]);
  kind.singular = kind.singular_text;
  kind.short_names = kind.short_names_text;
  kind.categories = kind.categories_text;
  kind.schema_text = json::write(version["schema"]["openAPIV3Schema"]);
  read_columns(version, kind.own_columns);
  read_subresources(version, kind);
}

void set_condition(json::Node status,
                   std::string_view type,
                   bool holds,
                   std::string_view reason,
                   std::string_view message,
                   std::string_view now) {
  const json::Node conditions = status.array("conditions");
  json::Node found;
  for (const json::Node each : conditions) {
    if (each["type"].string() == type) found = each;
  }
  if (!found) found = conditions.append_object();
  const std::string_view value = holds ? "True" : "False";
  const bool moved = found["status"].string() != value;
  found.set("type", type);
  found.set("status", value);
  if (moved) found.set("lastTransitionTime", now);
  found.set("reason", reason);
  found.set("message", message);
}

// What another established definition of the group has that this one wants.
std::string taken_name(Parts& parts, const Request& request) {
  const json::Node spec = request.object["spec"];
  const json::Node names = spec["names"];
  std::string taken;
  api::for_each(parts.store, api::kCustomResourceDefinition, {}, [&](const api::ObjectRef& other) {
    if (other->name() == request.object["metadata"]["name"].string() || !taken.empty()) return;
    json::Tree tree;
    const json::Node theirs = other->parse(tree);
    if (theirs["spec"]["group"].string() != spec["group"].string()) return;
    const json::Node accepted = theirs["status"]["acceptedNames"];
    for (std::string_view name : {"plural", "singular", "kind", "listKind"}) {
      const std::string_view wanted = names[name].string();
      if (!wanted.empty() && accepted[name].string() == wanted) taken = std::string(wanted);
    }
    for (const json::Node name : names["shortNames"]) {
      for (const json::Node their_name : accepted["shortNames"]) {
        if (name.string() == their_name.string()) taken = std::string(name.string());
      }
    }
  });
  return taken;
}

void note_stored_version(json::Node spec, json::Node status) {
  const json::Node stored = status.array("storedVersions");
  for (const json::Node version : spec["versions"]) {
    if (!version["storage"].boolean()) continue;
    for (const json::Node known : stored) {
      if (known.string() == version["name"].string()) return;
    }
    stored.append(version["name"].string());
  }
}

}  // namespace

CustomResources::~CustomResources() {
  if (started_) store_.unsubscribe(*this);
  // Other servers of this process (tests) have definitions of their own.
  for (const auto& [group, plural] : served_) {
    for (api::CustomKind* kind : api::custom_kinds()) {
      if (kind->group == group && kind->plural == plural) kind->served = false;
    }
  }
}

void CustomResources::start() {
  api::for_each(store_, api::kCustomResourceDefinition, {}, [this](const api::ObjectRef& object) {
    json::Tree tree;
    take(object->parse(tree), object->deleting());
  });
  store_.subscribe(*this);
  started_ = true;
}

void CustomResources::on_change(const api::Change& change) {
  if (&change.after->kind() != &api::kCustomResourceDefinition) return;
  json::Tree tree;
  const json::Node definition = change.after->parse(tree);
  if (change.type == api::ChangeType::kDeleted) {
    retire(definition["spec"]["group"].string(), definition["spec"]["names"]["plural"].string());
  } else {
    take(definition, change.after->deleting());
  }
  pages_.forget();
}

void CustomResources::take(json::Node definition, bool deleting) {
  const json::Node spec = definition["spec"];
  const std::string_view group = spec["group"].string();
  const std::string_view plural = spec["names"]["plural"].string();
  retire(group, plural);
  if (!is_established(definition)) return;
  for (const json::Node version : spec["versions"]) {
    api::CustomKind* kind = api::intern_custom_kind(group, plural, version["name"].string(),
                                                    spec["names"]["kind"].string(),
                                                    spec["scope"].string() == "Namespaced");
    if (kind == nullptr) continue;
    kind->namespaced = spec["scope"].string() == "Namespaced";
    read_version(spec, version, *kind);
    kind->served = version["served"].boolean();
    kind->terminating = deleting;
    kind->deprecation.clear();
    if (version["deprecated"].boolean()) {
      const std::string_view given = version["deprecationWarning"].string();
      kind->deprecation = given.empty()
                              ? join({api::group_version(*kind), " ", kind->name, " is deprecated"})
                              : std::string(given);
    }
  }
  served_.insert({std::string(group), std::string(plural)});
}

void CustomResources::retire(std::string_view group, std::string_view plural) {
  for (api::CustomKind* kind : api::custom_kinds()) {
    if (kind->group == group && kind->plural == plural) kind->served = false;
  }
}

// The reference server does this a moment later, in controllers: naming and establishing.
Result<> admit_definition(Parts& parts, Request& request) {
  if (request.subresource != api::Subresource::kNone) return {};
  const json::Node object = request.object;
  if (request.creating()) {
    const json::Node finalizers = object["metadata"].array("finalizers");
    bool there = false;
    for (const json::Node each : finalizers)
      there = there || each.string() == kFinalizer;
    if (!there) finalizers.append(kFinalizer);
  }
  api::apply_defaults(*request.kind, object);
  const std::string now = rfc3339(parts.clock.wall());
  const json::Node status = object.object("status");
  const std::string taken = taken_name(parts, request);
  const bool good = taken.empty();
  set_condition(
      status, "NamesAccepted", good, good ? "NoConflicts" : "NameConflict",
      good ? std::string("no conflicts found") : join({"\"", taken, "\" is already in use"}), now);
  set_condition(status, "Established", good, good ? "InitialNamesAccepted" : "NotAccepted",
                good ? "the initial names have been accepted" : "not all names are accepted", now);
  if (good) status.set("acceptedNames", object["spec"]["names"]);
  if (!good && !status["acceptedNames"]) status.object("acceptedNames").set("plural", "");
  note_stored_version(object["spec"], status);
  return {};
}

Result<> admit_custom(Parts&, Request& request) {
  const api::CustomKind* kind = api::custom(*request.kind);
  if (kind == nullptr) return {};
  if (!kind->deprecation.empty()) request.warnings.push_back(kind->deprecation);
  if (!kind->terminating || !request.creating()) return {};
  return fail(Code::kMethodNotAllowed,
              join({"create not allowed while custom resource definition is terminating"}));
}

}  // namespace coracle::apiserver

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/managed_fields.h"

#include <algorithm>

#include "api/errors.h"
#include "api/processing.h"
#include "apiserver/authorizer.h"
#include "apiserver/decode.h"
#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";
constexpr std::string_view kKubectl = "kubectl";
constexpr size_t kManagerBytesMax = 128;
constexpr size_t kUpdatersMax = 10;  // apimachinery managedfields: DefaultMaxUpdateManagers

using Entries = std::vector<api::ManagedEntry>;

std::string subresource_of(const Request& request) {
  return std::string(api::subresource_name(request.subresource));
}

// apiserver pkg/endpoints/handlers/create.go managerOrUserAgent
std::string manager_of(const Request& request) {
  if (!request.options.field_manager.empty()) return request.options.field_manager;
  std::string_view agent = request.http.header("user-agent");
  agent = agent.substr(0, std::min(agent.find('/'), kManagerBytesMax));
  return agent.empty() ? request.user.name : std::string(agent);
}

bool is_own(const api::ManagedEntry& entry, const Request& request, std::string_view operation) {
  return entry.operation == operation && entry.subresource == subresource_of(request) &&
         entry.manager == manager_of(request);
}

// apimachinery managedfields/internal/conflict.go printManager
std::string manager_text(const api::ManagedEntry& entry) {
  std::string text = join({"\"", entry.manager, "\""});
  if (!entry.subresource.empty()) text += join({" with subresource \"", entry.subresource, "\""});
  if (entry.operation != "Update") return text;
  text += join({" using ", entry.api_version});
  if (!entry.time.empty()) text += join({" at ", entry.time});
  return text;
}

struct Conflict {
  std::string manager;
  std::vector<std::string> paths;
};

Error conflict_error(const std::vector<Conflict>& conflicts) {
  size_t count = 0;
  std::string lines;
  Error error = fail(Code::kConflict, "");
  for (const Conflict& conflict : conflicts) {
    if (!lines.empty()) lines += "\n";
    lines += join({"conflicts with ", conflict.manager, ":"});
    for (const std::string& path : conflict.paths) {
      ++count;
      lines += join({"\n- ", path});
      error.causes.push_back(
          {"FieldManagerConflict", join({"conflict with ", conflict.manager}), path});
    }
  }
  if (count == 1) {
    lines =
        join({"conflict with ", conflicts.front().manager, ": ", conflicts.front().paths.front()});
  }
  error.message = join({"Apply failed with ", std::to_string(count),
                        count == 1 ? " conflict: " : " conflicts: ", lines});
  return error;
}

Error missing_manager() {
  api::Errors errors;
  errors.required("fieldManager", "is required for apply patch");
  return errors.to_error("PatchOptions.meta.k8s.io", "");
}

// What kubectl applied by itself before does not stand in the way of its server-side apply.
api::FieldSet last_applied(const Request& request) {
  if (manager_of(request) != kKubectl || !request.old) return {};
  const std::string_view text = request.old["metadata"]["annotations"][kLastApplied].string();
  json::Tree tree;
  if (text.empty() || !tree.parse(text)) return {};
  return api::fields_of(request.kind->message, tree.root());
}

// The entries before this apply.
Entries entries_before(const Request& request) {
  Entries entries = api::read_managed(request.old["metadata"]);
  if (!entries.empty() || !request.old) return entries;
  const json::Node notes = request.old["metadata"]["annotations"];
  json::Tree tree;
  const json::Node rest = tree.make_root(request.old);
  if (request.kind->has_status) rest.remove("status");
  entries.push_back({notes[kLastApplied] ? "kubectl-client-side-apply" : "before-first-apply",
                     "Update",
                     api::group_version(*request.kind),
                     {},
                     std::string(request.old["metadata"]["creationTimestamp"].string()),
                     api::fields_of(request.kind->message, rest)});
  return entries;
}

// A main resource is applied without its status, /status with nothing else.
void cut_to_scope(const Request& request, json::Node applied) {
  if (request.subresource != api::Subresource::kStatus) {
    if (request.kind->has_status) applied.remove("status");
    return;
  }
  for (const json::Node child : applied) {
    const std::string_view key = child.key();
    if (key != "kind" && key != "apiVersion" && key != "metadata" && key != "status")
      applied.remove_child(child);
  }
}

Result<> parse_applied(Request& request) {
  if (request.options.field_manager.empty()) return missing_manager();
  json::ParseNotes notes;
  const std::string& body = request.http.body;
  const size_t begin = body.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string::npos && body[begin] == '{';
  request.body = is_json ? TRY(request.body_tree.parse(body, &notes))
                         : TRY(request.body_tree.parse_yaml(body, &notes));
  const json::Node applied = request.body;
  if (!applied.is_object())
    return fail(Code::kBadRequest, "error decoding YAML: the configuration is not an object");
  if (applied["metadata"]["managedFields"].size() > 0)
    return fail(Code::kBadRequest, "metadata.managedFields must be nil");
  TRY(check_applied(request, applied, notes));
  cut_to_scope(request, applied);
  return {};
}

Result<> may_create(Parts& parts, const Request& request) {
  Attributes asked = attributes_of(request);
  asked.verb = "create";
  if (parts.authorizer.decide(request.user, asked).allowed) return {};
  return fail(Code::kForbidden,
              join({qualified_resource(request.group, request.resource), " \"", request.name,
                    "\" is forbidden: User \"", request.user.name, "\" cannot create resource \"",
                    request.resource, "\" in API group \"", request.group, "\" in the namespace \"",
                    request.ns, "\""}));
}

Result<> start_object(Parts& parts, Request& request) {
  Result<> loaded = load_stored(parts, request);
  if (loaded) {
    request.object = request.object_tree.make_root(request.old);
    request.object["metadata"].remove("managedFields");
    return {};
  }
  const bool absent = !request.stored && request.subresource == api::Subresource::kNone;
  if (!absent) return loaded;
  TRY(may_create(parts, request));
  request.object = request.object_tree.make_object();
  return {};
}

Result<> settle_conflicts(Request& request, const api::FieldSet& wanted, Entries& entries) {
  std::vector<Conflict> conflicts;
  const api::FieldSet exempt = last_applied(request);
  for (api::ManagedEntry& entry : entries) {
    if (is_own(entry, request, "Apply")) continue;
    api::FieldSet contested = api::fields_in_conflict(request.kind->message, wanted, entry.fields,
                                                      request.old, request.object);
    entry.fields.subtract(contested);
    contested.subtract(exempt);
    if (contested.empty()) continue;
    Conflict conflict{manager_text(entry), {}};
    api::list_paths(contested, conflict.paths);
    conflicts.push_back(std::move(conflict));
  }
  std::sort(conflicts.begin(), conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.manager < b.manager; });
  if (conflicts.empty() || request.options.force) return {};
  return conflict_error(conflicts);
}

void forget_hollow(Entries& entries) {
  std::erase_if(entries, [](const api::ManagedEntry& entry) { return entry.fields.empty(); });
}

// More updaters than this become one, the oldest first (capmanagers.go).
void cap_updaters(Entries& entries) {
  size_t updaters = 0;
  for (const api::ManagedEntry& entry : entries)
    updaters += entry.operation == "Update" ? 1 : 0;
  for (size_t at = 0; updaters > kUpdatersMax && at < entries.size(); ++at) {
    if (entries[at].operation != "Update" || entries[at].manager == "ancient-changes") continue;
    api::ManagedEntry old = std::move(entries[at]);
    entries.erase(entries.begin() + static_cast<ptrdiff_t>(at--));
    --updaters;
    const auto same = std::find_if(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.manager == "ancient-changes";
    });
    if (same != entries.end()) {
      same->fields.add(old.fields);
      continue;
    }
    old.manager = "ancient-changes";
    old.subresource.clear();
    entries.insert(entries.begin(), std::move(old));
    ++at;
  }
}

}  // namespace

Result<> decode_applied(Parts& parts, Request& request) {
  TRY(parse_applied(request));
  TRY(start_object(parts, request));
  const json::Node applied = request.body;
  const api::Message* message = request.kind->message;
  api::FieldSet wanted = api::fields_of(message, applied);
  Entries entries = entries_before(request);
  const Result<> merged = api::merge_applied(message, request.object, applied);
  if (!merged) {
    api::Errors errors;
    errors.invalid("patch", request.name, merged.error().message);
    return errors.to_error(api::group_kind(*request.kind), request.name);
  }
  TRY(settle_conflicts(request, wanted, entries));
  api::FieldSet keep = wanted;
  api::ManagedEntry own{manager_of(request),     "Apply", api::group_version(*request.kind),
                        subresource_of(request), {},      {}};
  for (api::ManagedEntry& entry : entries) {
    if (is_own(entry, request, "Apply")) {
      own = entry;
    } else {
      keep.add(entry.fields);
    }
  }
  api::prune_fields(message, request.object, own.fields, keep);
  std::erase_if(entries, [&](const auto& entry) { return is_own(entry, request, "Apply"); });
  const bool same = own.fields == wanted;
  own.fields = std::move(wanted);
  if (!same || own.time.empty()) own.time = rfc3339(parts.clock.wall());
  entries.push_back(std::move(own));
  forget_hollow(entries);
  request.managed = std::move(entries);
  request.applied = true;
  return {};
}

// An update that carries other entries than the stored ones sets them, as upstream allows.
void note_managed(Request& request) {
  request.managed.clear();
  request.resets_managed = false;
  const json::Node given = request.object["metadata"]["managedFields"];
  if (!given || json::equal(given, request.old["metadata"]["managedFields"])) return;
  request.resets_managed = true;
  request.managed = api::read_managed(request.object["metadata"]);
  forget_hollow(request.managed);
}

namespace {

// Whether the object, as it would be stored, is what it was.
bool is_as_before(const Request& request) {
  json::Tree tree;
  const json::Node before = tree.make_root(request.old);
  before["metadata"].remove("managedFields");
  before["metadata"].remove("resourceVersion");
  return json::equal(before, request.object);
}

// The time of an apply that changed nothing stays, so that nothing is written. Only the object in
// normal form tells: 1000m is applied again and again where 1 is stored.
void settle_applied(Parts& parts, Request& request) {
  const bool same = request.old && is_as_before(request);
  for (api::ManagedEntry& entry : request.managed) {
    if (!same && is_own(entry, request, "Apply")) entry.time = rfc3339(parts.clock.wall());
  }
  api::write_managed(request.object["metadata"], request.managed);
}

}  // namespace

void settle_managed(Parts& parts, Request& request) {
  const json::Node metadata = request.object["metadata"];
  if (request.applied) return settle_applied(parts, request);
  if (!request.old) return metadata.remove("managedFields");
  Entries entries =
      request.resets_managed ? request.managed : api::read_managed(request.old["metadata"]);
  if (entries.empty()) return metadata.remove("managedFields");
  const api::Message* message = request.kind->message;
  api::FieldSet changed = api::fields_changed(message, request.object, request.old);
  api::FieldSet removed = api::fields_of(message, request.old);
  removed.subtract(api::fields_of(message, request.object));
  if (changed.empty() && removed.empty()) return api::write_managed(metadata, entries);
  api::ManagedEntry own{manager_of(request),     "Update", api::group_version(*request.kind),
                        subresource_of(request), {},       {}};
  for (api::ManagedEntry& entry : entries) {
    if (is_own(entry, request, "Update")) own = entry;
    entry.fields.subtract(changed);
    entry.fields.subtract(removed);
  }
  std::erase_if(entries, [&](const auto& entry) { return is_own(entry, request, "Update"); });
  own.fields.add(changed);
  own.fields.subtract(removed);
  own.time = rfc3339(parts.clock.wall());
  entries.push_back(std::move(own));
  forget_hollow(entries);
  cap_updaters(entries);
  api::write_managed(metadata, entries);
}

}  // namespace coracle::apiserver

// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/apply.h"

#include <algorithm>
#include <tuple>

#include "api/field_type.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

// What nobody owns: it names the object, or the server sets it.
constexpr std::string_view kUnowned[] = {
    "name", "namespace",  "creationTimestamp", "selfLink",
    "uid",  "generation", "resourceVersion",   "managedFields"};

FieldSet& step(FieldSet& set, std::string_view name) {
  return set.at(join({"f:", name}));
}

// The items of a list by their path elements; those without keys are passed over.
json::Node find_item(const FieldType& type, json::Node list, std::string_view element) {
  const FieldType item = type.item();
  for (const json::Node each : list) {
    const Result<std::string> name = item.element_of(each);
    if (name && *name == element) return each;
  }
  return {};
}

// Collects what `value` sets; with `compare`, only where `old` differs.
class Collector {
 public:
  explicit Collector(bool compare) : compare_(compare) {}

  void value(const FieldType& type, json::Node value, json::Node old, FieldSet& into) {
    switch (type.nature(value)) {
      case Nature::kWhole:
        if (!compare_ || !old || !json::equal(value, old)) into.member = true;
        return;
      case Nature::kStruct:
      case Nature::kMap:
        return members(type, value, old, into);
      case Nature::kKeyed:
      case Nature::kSet:
        return items(type, value, old, into);
    }
  }

 private:
  void members(const FieldType& type, json::Node value, json::Node old, FieldSet& into) {
    const bool map = type.nature(value) == Nature::kMap;
    for (const json::Node child : value) {
      const FieldType member = type.member(child.key());
      const json::Node before = old[child.key()];
      FieldSet below;
      this->value(member, child, before, below);
      const bool hollow = child.is_null() || (child.is_object() && child.size() == 0);
      if ((hollow || map) && (!compare_ || !before)) below.member = true;
      if (!below.empty()) step(into, child.key()).add(below);
    }
  }

  void items(const FieldType& type, json::Node value, json::Node old, FieldSet& into) {
    const FieldType item = type.item();
    if (value.size() == 0 && !compare_) into.member = true;
    for (const json::Node child : value) {
      const Result<std::string> element = item.element_of(child);
      if (!element) continue;
      const json::Node before = compare_ ? find_item(type, old, *element) : json::Node();
      FieldSet below;
      if (type.field->list_type == ListType::kMap) this->value(item, child, before, below);
      if (!compare_ || !before) below.member = true;
      if (!below.empty()) into.at(*element).add(below);
    }
  }

  bool compare_;
};

FieldSet collect(const Message* message, json::Node object, json::Node old, bool compare) {
  FieldSet set;
  Collector collector(compare);
  for (const json::Node child : object) {
    if (child.key() == "kind" || child.key() == "apiVersion") continue;
    const FieldType type = FieldType{nullptr, message, nullptr, false}.member(child.key());
    FieldSet below;
    collector.value(child.key() == "metadata" && message == nullptr ? FieldType{} : type, child,
                    old[child.key()], below);
    const bool hollow = child.is_object() && child.size() == 0;
    if (hollow && !compare) below.member = true;
    if (child.key() == "metadata") {
      below.member = false;
      for (std::string_view name : kUnowned)
        below.children.erase(join({"f:", name}));
    }
    if (!below.empty()) step(set, child.key()).add(below);
  }
  return set;
}

Result<> merge_value(const FieldType& type, json::Node live, json::Node applied);

Result<> merge_members(const FieldType& type, json::Node live, json::Node applied) {
  for (const json::Node child : applied) {
    const json::Node before = live[child.key()];
    if (child.is_null()) {
      live.remove(child.key());
    } else if (!before || before.is_null()) {
      live.set(child.key(), child);
      TRY(merge_value(type.member(child.key()), live[child.key()], child));  // finds duplicates
    } else {
      TRY(merge_value(type.member(child.key()), before, child));
    }
  }
  return {};
}

Result<> merge_items(const FieldType& type, json::Node live, json::Node applied) {
  const FieldType item = type.item();
  std::vector<std::string> seen;
  for (const json::Node child : applied) {
    const std::string element = TRY(item.element_of(child));
    if (std::find(seen.begin(), seen.end(), element) != seen.end())
      return fail(Code::kInvalid, join({"duplicate entries for key ", path_step(element)}));
    seen.push_back(element);
    const json::Node before = find_item(type, live, element);
    if (!before) {
      const json::Node added = live.append(child);
      if (type.field->list_type == ListType::kMap) TRY(merge_value(item, added, child));
    } else if (type.field->list_type == ListType::kMap) {
      TRY(merge_value(item, before, child));
    }
  }
  return {};
}

Result<> merge_value(const FieldType& type, json::Node live, json::Node applied) {
  const Nature nature = type.nature(applied);
  const bool fits = type.nature(live) == nature ||
                    (live.is_object() && applied.is_object() && nature != Nature::kWhole);
  if (nature == Nature::kWhole || !fits) {
    live.replace_with(applied);
    return {};
  }
  if (nature == Nature::kKeyed || nature == Nature::kSet) return merge_items(type, live, applied);
  return merge_members(type, live, applied);
}

json::Node child_of(const FieldType& type, json::Node value, std::string_view element) {
  if (element.starts_with("f:")) return value[element.substr(2)];
  return value.is_array() && type.field != nullptr ? find_item(type, value, element) : json::Node();
}

FieldType type_of(const FieldType& type, std::string_view element) {
  return element.starts_with("f:") ? type.member(element.substr(2)) : type.item();
}

void prune(const FieldType& type, json::Node value, const FieldSet& last, const FieldSet* keep) {
  for (const auto& [element, set] : last.children) {
    const json::Node child = child_of(type, value, element);
    if (!child) continue;
    const FieldSet* kept = keep == nullptr ? nullptr : keep->find(element);
    const bool goes = set.member && kept == nullptr;
    if (!goes) prune(type_of(type, element), child, set, kept);
    const bool container = child.is_object() || child.is_array();
    if (goes || (kept == nullptr && container && child.size() == 0)) value.remove_child(child);
  }
}

void conflicts(const FieldType& type,
               const FieldSet& wanted,
               const FieldSet& owned,
               json::Node live,
               json::Node merged,
               FieldSet& out) {
  for (const auto& [element, set] : wanted.children) {
    const FieldSet* theirs = owned.find(element);
    if (theirs == nullptr) continue;
    const json::Node before = child_of(type, live, element);
    const json::Node after = child_of(type, merged, element);
    if (set.member && theirs->member && set.children.empty()) {
      const bool same = before && after ? json::equal(before, after) : !before && !after;
      if (!same) out.at(element).member = true;
      continue;
    }
    FieldSet below;
    conflicts(type_of(type, element), set, *theirs, before, after, below);
    if (!below.empty()) out.at(element) = std::move(below);
  }
}

void append_paths(const FieldSet& set, std::string_view path, std::vector<std::string>& paths) {
  if (set.member) paths.emplace_back(path);
  for (const auto& [element, below] : set.children)
    append_paths(below, join({path, path_step(element)}), paths);
}

}  // namespace

FieldSet fields_of(const Message* message, json::Node object) {
  return collect(message, object, {}, false);
}

FieldSet fields_changed(const Message* message, json::Node object, json::Node old) {
  return collect(message, object, old, true);
}

Result<> merge_applied(const Message* message, json::Node live, json::Node applied) {
  return merge_members({nullptr, message, nullptr, false}, live, applied);
}

void prune_fields(const Message* message,
                  json::Node object,
                  const FieldSet& last,
                  const FieldSet& keep) {
  prune({nullptr, message, nullptr, false}, object, last, &keep);
}

FieldSet fields_in_conflict(const Message* message,
                            const FieldSet& wanted,
                            const FieldSet& owned,
                            json::Node live,
                            json::Node merged) {
  FieldSet out;
  conflicts({nullptr, message, nullptr, false}, wanted, owned, live, merged, out);
  return out;
}

void list_paths(const FieldSet& set, std::vector<std::string>& paths) {
  append_paths(set, {}, paths);
}

std::vector<ManagedEntry> read_managed(json::Node metadata) {
  std::vector<ManagedEntry> entries;
  for (const json::Node entry : metadata["managedFields"]) {
    entries.push_back(
        {std::string(entry["manager"].string()), std::string(entry["operation"].string()),
         std::string(entry["apiVersion"].string()), std::string(entry["subresource"].string()),
         std::string(entry["time"].string()), FieldSet::read(entry["fieldsV1"])});
  }
  return entries;
}

void write_managed(json::Node metadata, std::vector<ManagedEntry> entries) {
  metadata.remove("managedFields");
  // apimachinery managedfields/internal/managedfields.go, sortEncodedManagedFields
  std::sort(entries.begin(), entries.end(), [](const ManagedEntry& a, const ManagedEntry& b) {
    return std::tie(a.operation, a.time, a.manager, a.api_version, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.api_version, b.subresource);
  });
  json::Tree tree;
  for (const ManagedEntry& entry : entries) {
    if (entry.fields.empty()) continue;
    std::string text;
    json::Writer out(text);
    out.begin_object();
    out.member("manager", entry.manager);
    out.member("operation", entry.operation);
    out.member("apiVersion", entry.api_version);
    if (!entry.time.empty()) out.member("time", entry.time);
    out.member("fieldsType", "FieldsV1");
    out.key("fieldsV1");
    entry.fields.write(out);
    if (!entry.subresource.empty()) out.member("subresource", entry.subresource);
    out.end_object();
    const Result<json::Node> node = tree.parse(text);
    if (node) metadata.array("managedFields").append(*node);
  }
}

}  // namespace coracle::api

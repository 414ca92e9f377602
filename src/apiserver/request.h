// SPDX-License-Identifier: GPL-2.0-or-later
// Request: what one client asked for, from the first byte understood to the answer. Each stage of
// the pipeline fills in what the next ones read; nothing in it outlives the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/apply.h"
#include "api/kind.h"
#include "api/object.h"
#include "base/result.h"
#include "http/message.h"
#include "json/tree.h"
#include "store/store.h"

namespace coracle::apiserver {

enum class Verb : uint8_t {
  kGet,
  kList,
  kWatch,
  kCreate,
  kUpdate,
  kPatch,
  kDelete,
  kDeleteCollection,
};
std::string_view verb_name(Verb verb);  // as RBAC spells it

// kNowhere is answered 404 only after authentication and authorization, as upstream does.
enum class Target : uint8_t { kNowhere, kObjects, kReview, kUsage, kPage };

struct User {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> extra;

  bool in(std::string_view group) const;
  std::string_view node() const;  // of "system:node:<name>" in system:nodes; else empty
};

enum class PatchType : uint8_t { kJson, kMerge, kStrategic, kApply };
enum class FieldValidation : uint8_t { kWarn, kStrict, kIgnore };

// The query of a request (metav1.ListOptions, CreateOptions, ...) and the body of a DELETE.
struct Options {
  bool watch = false;
  bool bookmarks = false;
  std::optional<bool> send_initial_events;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string resource_version_match;
  std::string continue_token;
  int64_t limit = 0;
  std::optional<int64_t> timeout_s;
  std::string include_object;
  bool dry_run = false;
  std::string field_manager;
  bool force = false;
  FieldValidation field_validation = FieldValidation::kWarn;
};

struct DeleteOptions {
  std::optional<int64_t> grace_seconds;
  std::optional<bool> orphan_dependents;
  std::string propagation;  // "", Background, Foreground, Orphan
  std::string uid;          // preconditions
  std::string resource_version;
};

// The object an error is about, where it is not the one in the URL.
struct About {
  std::string group;
  std::string resource;
  std::string name;
};

// What the last stage proposes.
struct Effect {
  enum class What : uint8_t { kNothing, kPut, kDelete };
  What what = What::kNothing;
  std::string text;
};

struct Request {
  http::Request http;  // in process only the body is filled

  // route
  Target target = Target::kNowhere;
  Verb verb = Verb::kGet;
  std::string group;
  std::string version;
  std::string resource;          // plural, as in the URL
  std::string subresource_text;  // "" for none
  std::string ns;
  std::string name;
  const api::Kind* kind = nullptr;  // that is stored
  const api::Kind* twin = nullptr;  // its other version, if that is what the client speaks
  api::Subresource subresource = api::Subresource::kNone;
  Options options;
  PatchType patch_type = PatchType::kMerge;
  std::optional<Error> bad_options;

  // authenticate
  User user;

  // decode
  json::Tree body_tree;
  json::Node body;  // patch, options or the body of a subresource
  json::Tree object_tree;
  json::Node object;  // the object to be written
  json::Tree old_tree;
  json::Node old;  // the stored one; a null Node when one is created
  api::ObjectRef stored;
  DeleteOptions deletion;
  std::vector<std::string> warnings;
  uint64_t expected_version = 0;  // in-process preconditions
  std::string expected_uid;
  bool unconditional = false;  // no version was given: a lost race is run again
  bool generated_name = false;
  bool evicting = false;  // an eviction: a delete by another name
  uint32_t attempts = 0;
  std::vector<api::ManagedEntry> managed;  // of the object, as far as the body decides
  bool applied = false;                    // by server-side apply
  bool resets_managed = false;             // the body sets metadata.managedFields

  // store
  Effect effect;
  uint64_t quota_ticket = 0;     // what it takes of quotas, held until the outcome is known
  std::string reserved_address;  // a Service address held until the outcome is known
  int success_code = 200;

  std::optional<About> about;

  bool creating() const { return !old; }
  const api::Kind& spoken() const { return twin == nullptr ? *kind : *twin; }
};

// The message and the Status details of an error about the object in the URL.
std::string qualified_resource(std::string_view group,
                               std::string_view resource);  // "deployments.apps"
Error not_found(std::string_view group_resource, std::string_view name);
Error conflict(std::string_view group_resource, std::string_view name, std::string_view why);
// upstream's OptimisticLockErrorMsg
inline constexpr std::string_view kObjectModified =
    "the object has been modified; please apply your changes to the latest version and try again";

}  // namespace coracle::apiserver

// SPDX-License-Identifier: GPL-2.0-or-later
// Object: one immutable API object as text, counted by reference (not atomic: src/ has one thread).
//
// Normal form at rest: compact JSON that starts with {"kind":K,"apiVersion":V,"metadata":{ and has
// no metadata.resourceVersion. The version is the log index that wrote the object (ARCHITECTURE
// D3), known only after the text exists, and is spliced in on the way out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "api/kind.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::api {

class ObjectRef;

class Object {
 public:
  const Kind& kind() const { return *kind_; }
  uint64_t version() const { return version_; }  // metadata.resourceVersion
  std::string_view ns() const { return ns_; }    // empty for cluster-scoped kinds
  std::string_view name() const { return name_; }
  std::string_view uid() const { return uid_; }
  bool deleting() const { return deleting_; }      // metadata.deletionTimestamp is set
  std::string_view text() const { return text_; }  // normal form, without resourceVersion
  void write_to(std::string& out) const;           // with resourceVersion
  json::Node parse(
      json::Tree& tree) const;  // with resourceVersion; stored text is well-formed by invariant
  std::string key() const { return storage_key(*kind_, ns_, name_); }
  size_t bytes() const { return text_.size() + sizeof(Object); }

 private:
  friend class ObjectRef;
  friend Result<ObjectRef> make_object(const Kind& kind, std::string text, uint64_t version);
  Object() = default;
  mutable uint32_t references_ = 0;
  const Kind* kind_ = nullptr;
  uint64_t version_ = 0;
  std::string text_;
  std::string_view ns_;
  std::string_view name_;
  std::string_view uid_;
  bool deleting_ = false;
};

// Shared, nullable handle.
class ObjectRef {
 public:
  ObjectRef() = default;
  explicit ObjectRef(const Object* object) : object_(object) {
    if (object_ != nullptr) ++object_->references_;
  }
  ObjectRef(const ObjectRef& other) : ObjectRef(other.object_) {}
  ObjectRef(ObjectRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  ObjectRef& operator=(ObjectRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~ObjectRef() {
    if (object_ != nullptr && --object_->references_ == 0) delete object_;
  }
  explicit operator bool() const { return object_ != nullptr; }
  const Object* operator->() const { return object_; }
  const Object& operator*() const { return *object_; }

 private:
  const Object* object_ = nullptr;
};

// From text in normal form (as the store holds it); kCorrupt if it is not.
Result<ObjectRef> make_object(const Kind& kind, std::string text, uint64_t version);

// The normal form of a tree: kind, apiVersion and metadata first, resourceVersion dropped.
std::string normal_text(const Kind& kind, json::Node object);
Result<ObjectRef> seal(const Kind& kind, json::Node object, uint64_t version);

// Appends `text` (normal form) with resourceVersion spliced in.
void splice_version(std::string& out, std::string_view text, uint64_t version);

}  // namespace coracle::api

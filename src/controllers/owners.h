// SPDX-License-Identifier: GPL-2.0-or-later
// Owner references: who controls what, adoption and release (upstream
// pkg/controller/controller_ref_manager.go).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/selector.h"
#include "json/tree.h"

namespace coracle::controllers {

// An object together with its parsed tree, for the life of one plan.
struct Parsed {
  api::ObjectRef ref;
  std::unique_ptr<json::Tree> tree;
  json::Node node;
};
Parsed parse(const api::ObjectRef& object);

json::Node controller_of(
    json::Node object);  // the ownerReference with controller: true; null Node if none
bool is_controlled_by(json::Node object, std::string_view uid);

// {"apiVersion":..,"kind":..,"name":..,"uid":..,"controller":true,"blockOwnerDeletion":true} into
// `array`.
void append_controller_reference(json::Node array, const api::Object& owner);

// The objects of `kind` in the owner's namespace that the owner controls and its selector matches.
// Orphans that match are adopted and controlled ones that no longer match are released: those calls
// are added to the plan, and such objects are not returned before the API shows the change.
// `may_adopt` (null: anything) says which orphans are wanted.
std::vector<Parsed> claim(const api::State& state,
                          const api::Kind& kind,
                          const Parsed& owner,
                          const api::LabelSelector& selector,
                          api::Plan& plan,
                          bool (*may_adopt)(const api::Object& owner,
                                            const api::Object& orphan) = nullptr);

// A write of `node` back through `subresource`, guarded by the version it was read at.
api::Call merge_patch_call(const Parsed& object, std::string body);
api::Call update_call(const Parsed& object, api::Subresource subresource = api::Subresource::kNone);
api::Call delete_call(const api::Object& object);

// A free name for the index-th new object of `owner`: "<base>-" cut to 58 characters and a suffix
// of 5 that follows from the owner's uid and the state's version alone (plans are pure).
std::string free_name(const api::State& state,
                      const api::Kind& kind,
                      const api::Object& owner,
                      size_t index);
// FNV-1a over text, in the safe alphabet (apimachinery rand.SafeEncodeString).
std::string safe_hash(std::string_view text);

}  // namespace coracle::controllers

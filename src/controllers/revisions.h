// SPDX-License-Identifier: GPL-2.0-or-later
// ControllerRevisions: what DaemonSets and StatefulSets remember of their templates (upstream
// pkg/controller/history).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/owners.h"

namespace coracle::controllers {

inline constexpr std::string_view kRevisionHash = "controller-revision-hash";

class Revisions {
 public:
  // Claims the revisions of `owner`; adoptions go into `plan`.
  Revisions(const Now& now, const Parsed& owner, api::Plan& plan);

  // The revision of the owner's template as it is now. False: it had to be made, renumbered or its
  // name was taken; those calls are in the plan and the next plan goes on.
  bool settle(api::Plan& plan);

  // After settle(): the current one.
  const Parsed& current() const { return *current_; }
  std::string_view current_name() const { return current_->ref->name(); }
  std::string_view current_hash() const { return hash_of(*current_); }
  const Parsed* named(std::string_view name) const;
  std::string_view hash_of(const Parsed& revision) const {
    return revision.node["metadata"]["labels"][hash_label()].string();
  }
  // A DaemonSet's pods carry the same label, a StatefulSet's the revision's name.
  std::string_view hash_label() const {
    return &owner_.ref->kind() == &api::kDaemonSet ? kRevisionHash
                                                   : "controller.kubernetes.io/hash";
  }
  // The template that a revision holds.
  static json::Node model_of(const Parsed& revision) {
    return revision.node["data"]["spec"]["template"];
  }
  // Deletes the oldest of those that neither are current nor in use, beyond `limit`.
  void truncate(int64_t limit, const std::vector<std::string_view>& used, api::Plan& plan) const;

 private:
  void make(int64_t number, api::Plan& plan) const;

  const Now& now_;
  const Parsed& owner_;
  std::vector<Parsed> all_;  // by number
  const Parsed* current_ = nullptr;
};

}  // namespace coracle::controllers

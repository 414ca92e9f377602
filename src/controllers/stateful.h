// SPDX-License-Identifier: GPL-2.0-or-later
// One StatefulSet with its pods and claims, as one plan sees them (upstream
// pkg/controller/statefulset).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/pods.h"
#include "controllers/revisions.h"

namespace coracle::controllers {

class Stateful {
 public:
  Stateful(const Now& now, Parsed set);
  api::Plan plan();

 private:
  struct Replica {
    int64_t ordinal = 0;
    const Parsed* pod = nullptr;  // null: not there
  };
  // Go on with the next replica, or wait for this one.
  enum class Step : uint8_t { kNext, kWait };

  // --- statefulset.cc: which pods, in which order
  void sort_pods();
  void act();
  Step keep(const Replica& replica);
  void condemn();
  Step drop(const Replica& replica);
  void update();
  const Parsed* first_unhealthy() const;
  bool is_healthy(const Parsed& pod) const;
  void write_status();
  void count_into(json::Node status) const;

  // --- statefulset_pods.cc: what they look like, and their claims
  void create(int64_t ordinal);
  void remove(const Parsed& pod);
  bool fix_identity(const Parsed& pod);
  bool create_claims(const std::string& pod_name);
  void create_claim(json::Node model, const std::string& pod_name, const std::string& name);
  void keep_claims();
  void keep_claim(const Replica& replica, bool condemned, json::Node model);
  void set_owner(json::Node claim, const api::Object& owner, bool wanted) const;
  const Parsed& revision_for(int64_t ordinal) const;
  json::Node write_pod(json::Tree& tree, int64_t ordinal) const;
  bool deletes(std::string_view when) const;

  json::Node spec() const { return set_.node["spec"]; }
  int64_t wanted() const { return spec()["replicas"].integer(1); }
  int64_t start() const { return spec()["ordinals"]["start"].integer(); }
  bool is_parallel() const { return spec()["podManagementPolicy"].string() == "Parallel"; }
  int64_t partition() const {
    return spec()["updateStrategy"]["rollingUpdate"]["partition"].integer();
  }
  const Parsed& current() const;
  std::string pod_name(int64_t ordinal) const;
  static std::string_view revision_of(const Parsed& pod) {
    return pod.node["metadata"]["labels"][kRevisionHash].string();
  }

  const Now& now_;
  Parsed set_;
  api::Plan plan_;
  Revisions revisions_;
  std::vector<Parsed> pods_;
  std::vector<Replica> replicas_;   // by ordinal, all that are wanted
  std::vector<Replica> condemned_;  // the highest first
};

// "web-3" -> 3 for the set "web"; -1 if it is none of its pods' names.
int64_t ordinal_of(std::string_view set, std::string_view pod);

}  // namespace coracle::controllers

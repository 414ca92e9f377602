// SPDX-License-Identifier: GPL-2.0-or-later
// One DaemonSet with its nodes and pods, as one plan sees them (upstream pkg/controller/daemon).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/pods.h"
#include "controllers/revisions.h"

namespace coracle::controllers {

class Daemons {
 public:
  Daemons(const Now& now, Parsed set);
  api::Plan plan();

 private:
  struct Place {  // a node, and the set's pods there, oldest first
    api::ObjectRef node;
    bool should_run = false;
    bool may_stay = false;  // pods that are there already
    std::vector<const Parsed*> pods;
  };

  // --- daemonset.cc
  bool find();
  void find_places();
  json::Node tolerant_spec();
  void manage();
  void manage_place(const Place& place);
  void prune(std::vector<const Parsed*> running);
  void replace_ended(const Place& place, const Parsed& pod);
  void create(const Place& place);
  void remove(const Parsed& pod);
  void write_status();

  // --- daemonset_update.cc
  void roll();
  void roll_missing(int64_t unavailable_max);
  void roll_surging(int64_t surge_max);
  struct Pair {  // what runs on a node
    const Parsed* fresh = nullptr;
    const Parsed* old = nullptr;
    bool clear = true;  // at most one of each
  };
  Pair pair_on(const Place& place) const;
  int64_t share(std::string_view field, int64_t otherwise) const;

  json::Node spec() const { return set_.node["spec"]; }
  bool is_fresh(const Parsed& pod) const {
    return pod.node["metadata"]["labels"][kRevisionHash].string() == revisions_.current_hash();
  }
  bool is_available(const Parsed& pod) const {
    return controllers::is_available(pod.node, spec()["minReadySeconds"].integer(), now_.wall);
  }

  const Now& now_;
  Parsed set_;
  api::Plan plan_;
  Revisions revisions_;
  json::Tree tree_;  // of tolerant_spec
  std::vector<Parsed> pods_;
  std::vector<Place> places_;
  size_t created_ = 0;
  size_t deleted_ = 0;
};

}  // namespace coracle::controllers

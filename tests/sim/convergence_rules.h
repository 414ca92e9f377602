// SPDX-License-Identifier: GPL-2.0-or-later
// What rules of convergence are written with.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tests/sim/house.h"
#include "tests/sim/kubelet.h"

namespace coracle::sim {

struct AtRest {
  const api::State& state;
  const Kubelet& kubelet;
};
using RestRule = std::string (*)(const AtRest&);  // empty: it holds

// The first object of a kind with which something is wrong.
template <class Check>
std::string first_wrong(const AtRest& cluster, const api::Kind& kind, Check check) {
  std::string wrong;
  api::for_each(cluster.state, kind, {}, [&](const api::ObjectRef& object) {
    if (!wrong.empty()) return;
    json::Tree tree;
    const std::string found = check(*object, object->parse(tree));
    if (!found.empty()) wrong = join({object->key(), ": ", found});
  });
  return wrong;
}

std::string_view condition(json::Node object, std::string_view type);
bool is_owned_by(json::Node object, std::string_view uid);
// The counters of a status that is what the spec wants; 0 is left out.
std::string wrong_count(json::Node object, std::string_view counter, int64_t wanted);
// Its namespace's claims that it names are there, so that it can run.
bool lacks_claims(const AtRest& cluster, const api::Object& pod, json::Node node);

// convergence_workloads.cc
std::span<const RestRule> workload_rules();

}  // namespace coracle::sim

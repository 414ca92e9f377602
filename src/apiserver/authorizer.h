// SPDX-License-Identifier: GPL-2.0-or-later
// Who may do what: the components of this process by a table of grants, nodes by what their Pods
// justify, everybody by Roles and Bindings. Everything else is denied.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "apiserver/request.h"
#include "base/result.h"

namespace coracle::apiserver {

struct Attributes {
  std::string_view verb;
  std::string_view group;
  std::string_view resource;  // empty: `path` is asked for
  std::string_view subresource;
  std::string_view ns;
  std::string_view name;
  std::string_view path;
  std::string_view fields;  // the selector of a list or watch
};

struct Decision {
  bool allowed = false;
  std::string reason;
};

// Comma-separated sets; "*" is everything.
struct Rule {
  std::string_view verbs;
  std::string_view groups;     // "-" is the core group
  std::string_view resources;  // "pods,pods/status"
  std::string_view paths = {};
};
struct Grant {
  std::string_view subject;  // a user's or a group's name
  std::span<const Rule> rules;
};

class Rbac;
struct PolicyRule;

class Authorizer {
 public:
  Authorizer(const api::State& state, Rbac& rbac) : state_(state), rbac_(rbac) {}
  Decision decide(const User& user, const Attributes& attributes) const;
  Result<> authorize(const Request& request) const;  // 403 in upstream's words
  // All that a user may do in a namespace, but for what a node's Pods justify.
  std::vector<PolicyRule> rules_for(const User& user, std::string_view ns) const;
  const Rbac& rbac() const { return rbac_; }

 private:
  Decision decide_node(std::string_view node, const Attributes& attributes) const;
  Decision decide_pods(std::string_view node, const Attributes& attributes) const;

  const api::State& state_;
  Rbac& rbac_;
};

Attributes attributes_of(const Request& request);
bool set_contains(std::string_view set, std::string_view word);

}  // namespace coracle::apiserver

// SPDX-License-Identifier: GPL-2.0-or-later
// What Roles and Bindings allow: an index of them, kept up to date by the store's changes
// (plugin/pkg/auth/authorizer/rbac).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/client.h"
#include "apiserver/authorizer.h"

namespace coracle::apiserver {

// A set of words in one string, each led by '\n'; holds "" (the core group) as well as "*".
class WordSet {
 public:
  WordSet() = default;
  explicit WordSet(json::Node list);
  void add(std::string_view word);
  bool has(std::string_view word) const;
  bool empty() const { return text_.empty(); }
  std::vector<std::string_view> words() const;
  friend bool operator==(const WordSet&, const WordSet&) = default;

 private:
  std::string text_;
};

struct PolicyRule {
  WordSet verbs;
  WordSet groups;
  WordSet resources;
  WordSet names;
  WordSet urls;

  bool allows(const Attributes& asked) const;
  std::string text() const;  // as Go prints it in refusals
};
using Rules = std::vector<PolicyRule>;
Rules rules_of(json::Node role);

// Whether `held` allow all that `wanted` would; what is missing is appended to `missing`.
bool covers(const Rules& held, const Rules& wanted, std::string& missing);

class Rbac final : api::Feed {
 public:
  explicit Rbac(store::Store& store) : store_(store) {}
  ~Rbac();
  Rbac(const Rbac&) = delete;
  Rbac& operator=(const Rbac&) = delete;

  void start();  // takes in what is stored
  bool allows(const User& user, const Attributes& asked) const;
  // All rules that a user has in a namespace, those for all namespaces first.
  Rules rules_for(const User& user, std::string_view ns) const;
  // Null if there is no such role. Empty ns: a ClusterRole.
  const Rules* role(std::string_view ns, std::string_view name) const;

 private:
  struct Subject {
    char kind;         // 'U'ser, 'G'roup, 'S'erviceAccount
    std::string name;  // of a ServiceAccount its whole user name
  };
  struct Binding {
    std::string role_ns;  // empty: a ClusterRole
    std::string role;
    std::vector<Subject> subjects;
  };
  using Bindings = std::map<std::string, Binding, std::less<>>;

  void on_change(const api::Change& change) override;
  void take(const api::ObjectRef& object);
  void drop(const api::Object& object);
  static bool applies(const Binding& binding, const User& user);
  template <class F>
  bool each_rules(const User& user, std::string_view ns, F&& f) const;

  store::Store& store_;
  bool started_ = false;
  std::map<std::pair<std::string, std::string>, Rules, std::less<>> roles_;
  std::map<std::string, Bindings, std::less<>> bindings_;  // by namespace; "" for all
};

}  // namespace coracle::apiserver

// SPDX-License-Identifier: GPL-2.0-or-later
#include "apiserver/rbac.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::apiserver {
namespace {

// pkg/apis/rbac/v1 helpers, NonResourceURLMatches
bool url_matches(const WordSet& urls, std::string_view path) {
  for (std::string_view pattern : urls.words()) {
    if (pattern == "*" || pattern == path) return true;
    if (pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1)))
      return true;
  }
  return false;
}

// "pods/log" is also meant by "*/log".
bool resource_matches(const WordSet& resources,
                      std::string_view resource,
                      std::string_view subresource) {
  if (resources.has("*")) return true;
  if (subresource.empty()) return resources.has(resource);
  return resources.has(join({resource, "/", subresource})) ||
         resources.has(join({"*/", subresource}));
}

void quote_set(std::string& out, std::string_view name, const WordSet& set) {
  if (set.empty()) return;
  if (out.size() > 1) out += ", ";
  out += join({name, ":["});
  bool first = true;
  for (std::string_view word : set.words()) {
    out += join({first ? "" : " ", "\"", word, "\""});
    first = false;
  }
  out += "]";
}

WordSet one(std::string_view word) {
  WordSet set;
  set.add(word);
  return set;
}

bool held_by_one(const Rules& held, const PolicyRule& atom) {
  const auto has = [](const WordSet& set, const WordSet& word) {
    return set.has("*") || set.has(word.words().front());
  };
  for (const PolicyRule& rule : held) {
    if (!has(rule.verbs, atom.verbs)) continue;
    if (!atom.urls.empty()) {
      const std::string_view url = atom.urls.words().front();
      // A pattern is covered by itself or by a wider one.
      if (!rule.urls.empty() && url_matches(rule.urls, url)) return true;
      continue;
    }
    if (rule.groups.empty() || !has(rule.groups, atom.groups)) continue;
    const std::string_view resource = atom.resources.words().front();
    const size_t slash = resource.find('/');
    const bool sub = slash != std::string_view::npos;
    if (!resource_matches(rule.resources, resource.substr(0, slash),
                          sub ? resource.substr(slash + 1) : std::string_view())) {
      continue;
    }
    if (rule.names.empty()) return true;
    if (!atom.names.empty() && rule.names.has(atom.names.words().front())) return true;
  }
  return false;
}

// Rules cut into the smallest parts: one verb, one group, one resource, at most one name.
template <class F>
void each_atom(const PolicyRule& rule, F&& f) {
  const std::vector<std::string_view> verbs = rule.verbs.words();
  for (std::string_view url : rule.urls.words()) {
    for (std::string_view verb : verbs)
      f(PolicyRule{one(verb), {}, {}, {}, one(url)});
  }
  const std::vector<std::string_view> names = rule.names.words();
  for (std::string_view group : rule.groups.words()) {
    for (std::string_view resource : rule.resources.words()) {
      for (std::string_view verb : verbs) {
        PolicyRule atom{one(verb), one(group), one(resource), {}, {}};
        if (names.empty()) f(atom);
        for (std::string_view name : names) {
          atom.names = one(name);
          f(atom);
        }
      }
    }
  }
}

// What no cluster needs in one request; beyond it a grant is refused unseen.
constexpr size_t kAtomsMax = 20'000;
constexpr size_t kMissingBytesMax = 8192;

}  // namespace

WordSet::WordSet(json::Node list) {
  for (const json::Node word : list)
    add(word.string());
}

void WordSet::add(std::string_view word) {
  if (!has(word)) text_.append("\n").append(word);
}

bool WordSet::has(std::string_view word) const {
  for (size_t at = 0; at < text_.size();) {
    const size_t begin = at + 1;
    const size_t end = std::min(text_.find('\n', begin), text_.size());
    if (std::string_view(text_).substr(begin, end - begin) == word) return true;
    at = end;
  }
  return false;
}

std::vector<std::string_view> WordSet::words() const {
  if (text_.empty()) return {};
  return split(std::string_view(text_).substr(1), '\n');
}

bool PolicyRule::allows(const Attributes& asked) const {
  if (!verbs.has("*") && !verbs.has(asked.verb)) return false;
  if (asked.resource.empty()) return url_matches(urls, asked.path);
  if (!groups.has("*") && !groups.has(asked.group)) return false;
  if (!resource_matches(resources, asked.resource, asked.subresource)) return false;
  return names.empty() || (!asked.name.empty() && names.has(asked.name));
}

std::string PolicyRule::text() const {
  std::string out = "{";
  quote_set(out, "APIGroups", groups);
  quote_set(out, "Resources", resources);
  quote_set(out, "ResourceNames", names);
  quote_set(out, "NonResourceURLs", urls);
  quote_set(out, "Verbs", verbs);
  return out + "}";
}

Rules rules_of(json::Node role) {
  Rules rules;
  for (const json::Node rule : role["rules"]) {
    rules.push_back({WordSet(rule["verbs"]), WordSet(rule["apiGroups"]), WordSet(rule["resources"]),
                     WordSet(rule["resourceNames"]), WordSet(rule["nonResourceURLs"])});
  }
  return rules;
}

bool covers(const Rules& held, const Rules& wanted, std::string& missing) {
  size_t atoms = 0;
  Rules lacking;
  for (const PolicyRule& rule : wanted) {
    each_atom(rule, [&](const PolicyRule& atom) {
      if (++atoms > kAtomsMax || held_by_one(held, atom)) return;
      // Verbs on the same thing are told of in one rule.
      if (!lacking.empty()) {
        PolicyRule& last = lacking.back();
        if (last.groups == atom.groups && last.resources == atom.resources &&
            last.names == atom.names && last.urls == atom.urls) {
          last.verbs.add(atom.verbs.words().front());
          return;
        }
      }
      lacking.push_back(atom);
    });
  }
  for (const PolicyRule& rule : lacking) {
    if (missing.size() > kMissingBytesMax) break;
    if (!missing.empty()) missing += "\n";
    missing += rule.text();
  }
  if (atoms > kAtomsMax) missing += "\ntoo many rules to compare";
  return missing.empty();
}

Rbac::~Rbac() {
  if (started_) store_.unsubscribe(*this);
}

void Rbac::start() {
  for (const api::Kind* kind :
       {&api::kClusterRole, &api::kRole, &api::kClusterRoleBinding, &api::kRoleBinding}) {
    api::for_each(store_, *kind, {}, [this](const api::ObjectRef& object) { take(object); });
  }
  store_.subscribe(*this);
  started_ = true;
}

void Rbac::on_change(const api::Change& change) {
  const api::Kind* kind = &change.after->kind();
  if (kind->group != api::kRole.group) return;
  if (change.type == api::ChangeType::kDeleted) return drop(*change.after);
  take(change.after);
}

void Rbac::take(const api::ObjectRef& object) {
  json::Tree tree;
  const json::Node root = object->parse(tree);
  const api::Kind* kind = &object->kind();
  const std::string ns(object->ns());
  if (kind == &api::kRole || kind == &api::kClusterRole) {
    roles_[{ns, std::string(object->name())}] = rules_of(root);
    return;
  }
  Binding binding;
  const json::Node role = root["roleRef"];
  if (role["kind"].string() == "Role") binding.role_ns = ns;
  binding.role = std::string(role["name"].string());
  for (const json::Node subject : root["subjects"]) {
    const std::string_view of = subject["kind"].string();
    const std::string_view name = subject["name"].string();
    if (of == "User") binding.subjects.push_back({'U', std::string(name)});
    if (of == "Group") binding.subjects.push_back({'G', std::string(name)});
    if (of != "ServiceAccount") continue;
    std::string_view home = subject["namespace"].string();
    if (home.empty()) home = ns;
    binding.subjects.push_back({'S', join({"system:serviceaccount:", home, ":", name})});
  }
  bindings_[ns].insert_or_assign(std::string(object->name()), std::move(binding));
}

void Rbac::drop(const api::Object& object) {
  const std::string ns(object.ns());
  if (&object.kind() == &api::kRole || &object.kind() == &api::kClusterRole) {
    roles_.erase({ns, std::string(object.name())});
    return;
  }
  const auto at = bindings_.find(ns);
  if (at == bindings_.end()) return;
  at->second.erase(std::string(object.name()));
  if (at->second.empty()) bindings_.erase(at);
}

bool Rbac::applies(const Binding& binding, const User& user) {
  for (const Subject& subject : binding.subjects) {
    if (subject.kind == 'G' ? user.in(subject.name) : user.name == subject.name) return true;
  }
  return false;
}

const Rules* Rbac::role(std::string_view ns, std::string_view name) const {
  const auto at = roles_.find(std::pair(std::string(ns), std::string(name)));
  return at == roles_.end() ? nullptr : &at->second;
}

// Calls f with the rules of every binding that names the user, until it returns true.
template <class F>
bool Rbac::each_rules(const User& user, std::string_view ns, F&& f) const {
  for (std::string_view scope : {std::string_view(), ns}) {
    const auto at = bindings_.find(scope);
    if (at == bindings_.end()) continue;
    for (const auto& [name, binding] : at->second) {
      if (!applies(binding, user)) continue;
      const Rules* rules = role(binding.role_ns, binding.role);
      if (rules != nullptr && f(*rules)) return true;
    }
    if (ns.empty()) break;
  }
  return false;
}

bool Rbac::allows(const User& user, const Attributes& asked) const {
  return each_rules(user, asked.ns, [&asked](const Rules& rules) {
    for (const PolicyRule& rule : rules) {
      if (rule.allows(asked)) return true;
    }
    return false;
  });
}

Rules Rbac::rules_for(const User& user, std::string_view ns) const {
  Rules all;
  each_rules(user, ns, [&all](const Rules& rules) {
    all.insert(all.end(), rules.begin(), rules.end());
    return false;
  });
  return all;
}

}  // namespace coracle::apiserver

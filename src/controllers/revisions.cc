// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/revisions.h"

#include <algorithm>

#include "base/bytes.h"
#include "controllers/pods.h"

namespace coracle::controllers {

namespace {

int64_t number_of(const Parsed& revision) {
  return revision.node["revision"].integer();
}

}  // namespace

Revisions::Revisions(const Now& now, const Parsed& owner, api::Plan& plan)
    : now_(now),
      owner_(owner) {
  const auto selector = api::LabelSelector::from_object(owner.node["spec"]["selector"]);
  all_ = claim(now.state, api::kControllerRevision, owner, selector, plan);
  std::stable_sort(all_.begin(), all_.end(), [](const Parsed& a, const Parsed& b) {
    return number_of(a) != number_of(b) ? number_of(a) < number_of(b)
                                        : a.ref->name() < b.ref->name();
  });
}

const Parsed* Revisions::named(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Parsed& each) { return each.ref->name() == name; });
  return found == all_.end() ? nullptr : &*found;
}

// Of several equal ones the newest is taken. A roll-back makes an old one the newest again.
bool Revisions::settle(api::Plan& plan) {
  const int64_t last = all_.empty() ? 0 : number_of(all_.back());
  const json::Node model = owner_.node["spec"]["template"];
  for (const Parsed& revision : all_) {
    json::Tree tree;
    const json::Node held = tree.detached(model_of(revision));
    held.remove("$patch");
    if (json::equal(held, model)) current_ = &revision;
  }
  if (current_ == nullptr) {
    make(last + 1, plan);
    return false;
  }
  if (number_of(*current_) == last) return true;
  const Parsed next = parse(current_->ref);
  next.node.set("revision", last + 1);
  plan.calls.push_back(update_call(next));
  return false;
}

void Revisions::make(int64_t number, api::Plan& plan) const {
  const int64_t collisions = owner_.node["status"]["collisionCount"].integer();
  std::string source = json::write(owner_.node["spec"]["template"]);
  if (collisions > 0) source += std::to_string(collisions);
  const std::string hash = safe_hash(source);
  const std::string name = join({owner_.ref->name().substr(0, 223), "-", hash});
  if (now_.state.get(api::kControllerRevision, owner_.ref->ns(), name)) {
    // Another template or another owner has the name: count up and hash again.
    const Parsed next = parse(owner_.ref);
    next.node.object("status").set("collisionCount", collisions + 1);
    plan.calls.push_back(update_call(next, api::Subresource::kStatus));
    return;
  }
  json::Tree tree;
  const json::Node revision = tree.make_object();
  revision.set("kind", "ControllerRevision");
  revision.set("apiVersion", "apps/v1");
  const json::Node metadata = revision.object("metadata");
  metadata.set("name", name);
  metadata.set("namespace", owner_.ref->ns());
  metadata.set("labels", owner_.node["spec"]["template"]["metadata"]["labels"]);
  metadata.object("labels").set(hash_label(), hash);
  // As upstream: the annotations of a DaemonSet go with its revisions.
  const json::Node notes = owner_.node["metadata"]["annotations"];
  if (notes && &owner_.ref->kind() == &api::kDaemonSet) {
    metadata.set("annotations", notes);
    metadata["annotations"].remove("kubectl.kubernetes.io/last-applied-configuration");
    if (metadata["annotations"].size() == 0) metadata.remove("annotations");
  }
  append_controller_reference(metadata.array("ownerReferences"), *owner_.ref);
  const json::Node model =
      revision.object("data").object("spec").set("template", owner_.node["spec"]["template"]);
  model.set("$patch", "replace");
  revision.set("revision", number);
  plan.calls.push_back(create_call(api::kControllerRevision, revision));
}

void Revisions::truncate(int64_t limit,
                         const std::vector<std::string_view>& used,
                         api::Plan& plan) const {
  std::vector<const Parsed*> idle;
  for (const Parsed& revision : all_) {
    const bool in_use = std::find(used.begin(), used.end(), revision.ref->name()) != used.end() ||
                        std::find(used.begin(), used.end(), hash_of(revision)) != used.end();
    if (&revision != current_ && !in_use && !revision.ref->deleting()) idle.push_back(&revision);
  }
  const int64_t surplus = static_cast<int64_t>(idle.size()) - limit;
  for (int64_t i = 0; i < surplus; ++i)
    plan.calls.push_back(delete_call(*idle[static_cast<size_t>(i)]->ref));
}

}  // namespace coracle::controllers
